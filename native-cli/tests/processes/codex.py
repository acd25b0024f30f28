"""A stand-in for Codex, as far as it renews tokens: it reads auth.json again and again, and renews an access token
itself once that has no more than five minutes to live, after having read the file once more.

    codex.py SECONDS LOG    writes a line for each refresh token that it spends
"""

import base64
import json
import os
import sys
import time
import urllib.request

WINDOW = 300
RECORD = os.path.join(os.environ["CODEX_HOME"], "auth.json")


def tokens():
    with open(RECORD, encoding="utf-8") as file:
        return json.load(file)["tokens"]


def is_due(access_token):
    payload = access_token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims["exp"] <= time.time() + WINDOW


def spend(held):
    with open(sys.argv[2], "a", encoding="utf-8") as log:
        log.write("spent\n")
    body = {
        "client_id": held["oauth_provenance"]["client_id"],
        "grant_type": "refresh_token",
        "refresh_token": held["refresh_token"],
    }
    request = urllib.request.Request(
        held["oauth_provenance"]["issuer"] + "/oauth/token",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        response.read()


end = time.monotonic() + float(sys.argv[1])
used = set()
while time.monotonic() < end:
    held = tokens()
    if is_due(held["access_token"]):
        # Somebody else may have been faster.
        held = tokens()
        if is_due(held["access_token"]):
            spend(held)
            break
    used.add(held["access_token"])
    time.sleep(0.1)
print(len(used))
