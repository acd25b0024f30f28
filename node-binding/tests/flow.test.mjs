import { Flow } from "../index.js";
import { checkBoundary } from "../../tests/replay/boundary.mjs";
import { replayAll } from "../../tests/replay/replay.mjs";

replayAll(Flow);
checkBoundary(Flow);
