#!/usr/bin/env python3
"""An endpoint with the control protocol of contracts/control.md: python3 server.py contracts [LEASE_SECONDS]

It knows no operation. It finds the case by the world and the call, and sends the reviewed answer. A call of no case, or
one that must change the world, is answered 501. It needs Python 3.9 or newer, and prints its address."""
import calendar, http.server, json, pathlib, re, sys, threading, time, uuid
from urllib.parse import parse_qsl, urlsplit
from runner import load

NAME, NOW = re.compile(r"[A-Za-z0-9._-]{1,64}"), "%Y-%m-%dT%H:%M:%SZ"
SIGNED = re.compile("Action|Version|AccessKeyId|Format|Timestamp|SecurityToken|Signature.*")
WORLDS, CALLED, LOCK = {}, {}, threading.Lock()

def key(world, action, key_id, parameters, fault):
    """The parts of a request that identify its case, without secrets and relative times, which differ between runs."""
    text = re.sub(r'("(AccessKeySecret|SecurityToken)": )"[^"]*"', r"\1null", json.dumps(world, sort_keys=True))
    told = sorted((name, value) for name, value in parameters.items() if not SIGNED.fullmatch(name))
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text), action, key_id, json.dumps(told), fault

def read(contracts):
    """The answers by key, of single calls that change nothing and whose answers have no new ids but the RequestId."""
    operations = {file.parent.name: json.loads(file.read_text()) for file in contracts.glob("*/operation.json")}
    answers = {}
    for file in sorted(contracts.glob("*/cases/*/*.json")):
        case, reviewed = load(contracts, file)
        request, action = case["request"], case["request"].get("action", case["action"])
        changes = operations.get(action, {}).get("effects")
        odd = {"common", "afterSigning", "nonce", "method", "signature"} & request.keys()
        named = set(re.findall(r"\[([A-Z]\w+)\]", "".join(reviewed.values()))) - {"RequestId", "TraceId"}
        if {"before", "throttling"} & case.keys() or odd or named or (changes and case["answer"]["status"] == 200):
            continue
        parameters = {**dict(request.get("query", {})), **dict(request.get("body", {}))}
        fault, key_id = case.get("fault", "").title().replace("-", ""), request.get("accessKeyId", "testid")
        answers.setdefault(key(case["world"], action, key_id, parameters, fault), reviewed)
    return answers

class World:
    def __init__(self, document):
        self.document, self.clock = document, 0
        self.throttling, self.faults, self.calls = {}, {"Faults": []}, {"Calls": []}

    def now(self):
        return time.strftime(NOW, time.gmtime(time.time() + self.clock))

    def control(self, method, name, body):
        """The answer of a control path of this world."""
        if name == "clock":
            if method != "GET":
                self.clock = calendar.timegm(time.strptime(body["Now"], NOW)) - time.time() if body else 0
            return {"Now": self.now()}
        vars(self)[name] = vars(self)[name] if method == "GET" else body or vars(World({}))[name]
        return {} if method == "DELETE" else vars(self)[name]

    def call(self, method, target, headers, body):
        """The answer of a case: a status, headers, and a body."""
        parameters = dict(parse_qsl(urlsplit(target).query, True)) | dict(parse_qsl(body, True))
        credential, is_v3 = headers.get("authorization", "").partition("Credential=")[2], "authorization" in headers
        action = headers.get("x-acs-action") if is_v3 else parameters.get("Action")
        key_id = credential.split(",")[0] if is_v3 else parameters.get("AccessKeyId")
        fault = next((fault for fault in self.faults["Faults"] if fault["Action"] == action), {"Times": 0, "Kind": ""})
        fault["Times"] -= 1
        self.faults["Faults"] = [fault for fault in self.faults["Faults"] if fault["Times"] > 0]
        answers = ANSWERS.get(key(self.document, action, key_id, parameters, fault["Kind"]), {})
        asked = parameters.get("Format", "").upper()
        reviewed = answers.get(asked if asked in ("JSON", "XML") else "JSON" if is_v3 else "XML", "HTTP 501\n\nno case")
        for name, value in {"[RequestId]": str(uuid.uuid4()).upper(), "[TraceId]": uuid.uuid4().hex}.items():
            reviewed = reviewed.replace(name, value)
        head, _, answer = reviewed.partition("\n\n")
        status, *lines = head.split("\n")
        told = {"At": self.now(), "Method": method, "Action": action, "Parameters": {}, "Answer": answer}
        self.calls["Calls"].append(told | {"Status": int(status[5:])})
        return int(status[5:]), dict(line.split(": ", 1) for line in lines if not line.endswith("(none)")), answer

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        with LOCK:
            for name in [name for name, called in CALLED.items() if time.monotonic() - called >= LEASE]:
                del WORLDS[name], CALLED[name]
            try:
                status, headers, text = self.found(urlsplit(self.path).path, body)
            except (LookupError, TypeError, ValueError) as error:
                status, headers = 404 if isinstance(error, LookupError) else 400, {}
                text = json.dumps({"Error": f"{type(error).__name__}: {error}"})
        lines = [f"HTTP/1.1 {status} -", f"content-length: {len(text.encode())}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.wfile.write("\r\n".join([*lines, "", text]).encode())

    def found(self, path, body):
        headers = {name.lower(): value for name, value in self.headers.items()}
        if path == "/_control/worlds":
            return 200, {}, json.dumps({"Worlds": sorted(WORLDS)})
        is_control = path.startswith("/_control/worlds/")
        name, _, of_world = path[17:].partition("/") if is_control else (headers.get("x-local-world"), "", "")
        is_whole, message = is_control and not of_world, {"LeaseSeconds": LEASE}
        is_made = is_whole and self.command == "PUT"
        if is_made and not NAME.fullmatch(name):
            raise ValueError(f"not a world's name: {name}")
        world = WORLDS[name] = World(json.loads(body)) if is_made else WORLDS[name]
        CALLED[name] = time.monotonic()
        if not is_control:
            return world.call(self.command, self.path, headers, body)
        if is_whole and self.command == "DELETE":
            message = {} if WORLDS.pop(name) and CALLED.pop(name) else None
        elif not is_made:
            message = world.control(self.command, of_world or "document", json.loads(body or "null"))
        return 200, {"content-type": "application/json"}, json.dumps(message)

    do_GET = do_POST = do_PUT = do_DELETE = answer
    log_message = lambda *_: None

if __name__ == "__main__":
    LEASE = int(sys.argv[2]) if len(sys.argv) > 2 else 600
    ANSWERS = read(pathlib.Path(sys.argv[1]))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
