// The flow of the module that is built for this page: it says where it is.
import { Flow } from "../../ts/flow.js";
import { states } from "../pkg/hallpass_web.js";

export class TracedFlow extends Flow {
  /** In which state each machine is, from the outermost in: the JSON of a list. */
  states(): string {
    this.enter();
    return states();
  }
}
