"""What stands between a program and a server, and can keep an answer back."""

import http.client
import http.server
import threading
import urllib.parse


class Relay:
    """Passes everything on to the server, but for the POST requests whose body holds `held`: those wait."""

    def __init__(self, server, held):
        self.waiting = threading.Event()
        self._released = threading.Event()
        relay, target = self, urllib.parse.urlsplit(server).netloc

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.pass_on()

            def do_POST(self):
                self.pass_on()

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                connection = http.client.HTTPConnection(target)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
                connection.close()
                if held.encode() in body:
                    relay.waiting.set()
                    relay._released.wait(30)
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                try:
                    self.wfile.write(content)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def release(self):
        self._released.set()

    def close(self):
        self.release()
        self._server.shutdown()
        self._server.server_close()
