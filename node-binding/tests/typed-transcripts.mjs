// Prints the recorded conversations as TypeScript, so that the compiler compares what serde reads and writes
// with what types.d.ts says.
import { readFileSync, readdirSync } from "node:fs";

const folder = new URL("../../tests/transcripts/", import.meta.url);

console.log('import type { Event, Message, Request } from "hallpass/core";\n');
console.log("export const requests: Request[] = [], events: Event[] = [], messages: Message[] = [];\n");
for (const name of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  console.log(`// ${name}`);
  for (const { request, event, message } of JSON.parse(readFileSync(new URL(name, folder), "utf8")).turns) {
    if (request !== undefined) console.log(`requests.push(${JSON.stringify(request)});`);
    if (event !== undefined) console.log(`events.push(${JSON.stringify(event)});`);
    console.log(`messages.push(${message});`);
  }
}
