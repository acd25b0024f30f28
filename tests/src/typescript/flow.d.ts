/**
 * One flow, from its start to its end: a conversation with the core, in JSON.
 *
 * The core decides and does nothing else. Each call answers with what to do next, and the flow goes on when
 * it is told what happened:
 *
 * ```ts
 * const flow = new Flow();
 * let message: Message = JSON.parse(flow.start(JSON.stringify(request), Date.now(), seed));
 * while ("perform" in message) {
 *   const event: Event = await perform(message.perform.effect);
 *   message = JSON.parse(flow.step(Date.now(), JSON.stringify(event)));
 * }
 * return message.done;
 * ```
 *
 * What goes wrong is part of the conversation: no call throws because of what its arguments say.
 * Messages may hold secrets: do not log them.
 */
export declare class Flow {
  constructor();
  /**
   * Begins.
   *
   * @param request the JSON of a `Request`
   * @param now the time, as `Date.now()` tells it
   * @param seed 32 bytes from a cryptographic generator, used once
   * @returns the JSON of a `Message`
   */
  start(request: string, now: number, seed: Uint8Array): string;
  /**
   * Goes on. An event that cannot be read ends the flow, after the effects that release what it holds.
   *
   * @param now the time, as `Date.now()` tells it
   * @param event the JSON of an `Event`
   * @returns the JSON of a `Message`
   */
  step(now: number, event: string): string;
  /**
   * What must survive while the page of a browser login is away at the authorization server. The flow goes
   * on as it was, should the page stay.
   *
   * @returns the JSON of a `Suspension`
   */
  suspend(): string;
  /**
   * Begins, in a new page, where `suspend` left off.
   *
   * @param suspended the JSON of the `Suspended` that `suspend` gave
   * @param request the JSON of the same `LoginRequest` as before
   * @param now the time, as `Date.now()` tells it
   * @returns the JSON of a `Message`
   */
  resume(suspended: string, request: string, now: number): string;
}
