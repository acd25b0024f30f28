// A worker beside the tabs: told what to create the package with, and then to get a token.
import { Hallpass } from "hallpass-web";

let hallpass;

addEventListener("message", async ({ data }) => {
  try {
    if (data !== "token") {
      hallpass = await Hallpass.create(data);
      postMessage({ token: "ready" });
    } else {
      postMessage({ token: (await hallpass.token()).accessToken });
    }
  } catch (error) {
    postMessage({ error: `${error.code} ${error.message}` });
  }
});
