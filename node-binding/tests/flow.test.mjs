import { Flow } from "hallpass/core";
import { checkBoundary } from "../../tests/replay/boundary.mjs";
import { replayAll } from "../../tests/replay/replay.mjs";

replayAll(Flow);
checkBoundary(Flow);
