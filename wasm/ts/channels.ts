// What pages and workers of one origin say to each other. Where a browser keeps them apart, nobody hears it.

/** Says something to all others. */
export function broadcast(name: string, message: unknown): void {
  try {
    const channel = new BroadcastChannel(name);
    channel.postMessage(message);
    channel.close();
  } catch {
    // A page that may keep nothing may have no channel either.
  }
}

/** Hears what the others say, until it is closed. */
export function listen(name: string, heard: (message: unknown) => void): { close(): void } {
  try {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => heard(data);
    return channel;
  } catch {
    return { close: () => {} };
  }
}
