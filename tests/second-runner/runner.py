#!/usr/bin/env python3
"""Runs a contract's cases on an endpoint with control paths: python3 runner.py http://127.0.0.1:8787 contracts

A second reading of contracts/: it shares no code with the command `contract`, and finds the same. It needs Python
3.9 or newer and nothing else, and prints each verdict as a line of JSON; `holds` is null where hashlib has no SM3.
Exit codes: 0 all hold, 1 some do not, 2 it could not be run, 3 usage."""
import base64, contextlib, hashlib, hmac, html, http.client, itertools, json, os, pathlib, re, sys, time, uuid
from urllib.parse import parse_qsl, quote, urlsplit
from xml.etree import ElementTree

FORMAT, VERSION, HOST = 2, "2016-04-28", "vpc.cn-huhehaote.aliyuncs.com"
HASHES = {"V3": "sha256", "V3-SM3": "sm3"}
HEADERS = ["content-type", "access-control-allow-origin", "access-control-expose-headers", "x-acs-request-id",
           "x-acs-trace-id"]
EXTRA_HEADERS = {"x-acs-retry-after": "RetryAfter", "x-ratelimit-user-api": "RateLimit"}

def encode_pairs(pairs):
    pairs = pairs.items() if isinstance(pairs, dict) else pairs
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
def timestamp(offset_seconds=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset_seconds))
def plain(value):
    """The text that a case file means by a long text or by a time from now."""
    if "offsetSeconds" in value:
        return timestamp(value["offsetSeconds"])
    return value["repeat"] * value["times"] if "repeat" in value else value
def acs3_string_to_sign(canonical, sha):
    return f"ACS3-HMAC-{sha.upper()}\n{hashlib.new(sha, canonical.encode()).hexdigest()}"

class Wire:  # A request as it goes over the wire, signed.
    def __init__(self, request, action, style, asked_format):
        query, key = request.get("query", {}), request.get("accessKeyId", "testid")
        secret, token = request.get("accessKeySecret", "testsecret"), request.get("securityToken")
        nonce, common = request.get("nonce", str(uuid.uuid4())), request.get("common", {})
        self.method, self.style, sha = request.get("method", "POST"), style, HASHES.get(style)
        self.query = list(query.items()) if isinstance(query, dict) else query
        self.query = self.query + ([] if asked_format is None else [("Format", asked_format)])
        self.body = encode_pairs(request.get("body", {}))
        self.headers = {"host": HOST} | ({"content-type": "application/x-www-form-urlencoded"} if self.body else {})
        if style == "V1":
            self.query += [("Action", action), ("Version", VERSION), ("AccessKeyId", key), ("SignatureNonce", nonce),
                           ("SignatureMethod", "HMAC-SHA1"), ("SignatureVersion", "1.0"), ("Timestamp", timestamp())]
            self.query += [] if token is None else [("SecurityToken", token)]
            self.change(common)
            digest = hmac.new(f"{secret}&".encode(), self.v1_string_to_sign().encode(), "sha1").digest()
            signature = {"Signature": base64.b64encode(digest).decode()}
        else:
            payload = hashlib.new(sha, self.body.encode()).hexdigest()
            self.headers |= {"x-acs-action": action, "x-acs-version": VERSION, "x-acs-date": timestamp(),
                             "x-acs-signature-nonce": nonce, "x-acs-content-sha256": payload}
            self.headers |= {} if token is None else {"x-acs-security-token": token}
            self.change(common)
            names = sorted(self.headers.keys() - {"authorization"})
            mac = hmac.new(secret.encode(), acs3_string_to_sign(self.canonical_request(names, sha), sha).encode(), sha)
            credential = f"Credential={key},SignedHeaders={';'.join(names)},Signature={mac.hexdigest()}"
            signature = {"authorization": f"ACS3-HMAC-{sha.upper()} {credential}"}
        self.change(signature | common)  # A case may put something else in the signature's place.
        self.change(request.get("afterSigning", {}))

    def change(self, settings):
        """Sets parameters, and in a V3 call headers, which begin with a lower-case letter; null removes."""
        for name, value in settings.items():
            changed = {} if value is None else {name: value}
            if name in ("body", "method"):
                setattr(self, name, value or "")
            elif self.style != "V1" and name[0].islower():
                self.headers = {known: self.headers[known] for known in self.headers if known != name} | changed
            else:
                self.query = [pair for pair in self.query if pair[0] != name] + list(changed.items())

    def v1_string_to_sign(self):
        """The parameters of query and form; the form's value wins."""
        parameters = dict(self.query) | dict(parse_qsl(self.body, keep_blank_values=True))
        signed = sorted((name, value) for name, value in parameters.items() if name != "Signature")
        return f"{self.method}&%2F&{quote(encode_pairs(signed), safe='')}"

    def canonical_request(self, names, sha):
        headers = "".join(f"{name}:{self.headers.get(name, '').strip()}\n" for name in names)
        query, payload = encode_pairs(sorted(dict(self.query).items())), hashlib.new(sha, self.body.encode())
        return f"{self.method}\n/\n{query}\n{headers}\n{';'.join(names)}\n{payload.hexdigest()}"

    def signed_by_server(self):
        """The texts that a server shows for a signature that does not match, by the names of their placeholders."""
        algorithm, _, rest = self.headers.get("authorization", "").partition(" ")
        sha = "sm3" if algorithm == "ACS3-HMAC-SM3" else "sha256"
        canonical = self.canonical_request(rest.partition("SignedHeaders=")[2].split(",")[0].split(";"), sha)
        of_v3 = {"StringToSign": acs3_string_to_sign(canonical, sha), "CanonicalRequest": canonical}
        signed = of_v3 if "authorization" in self.headers else {"StringToSign": self.v1_string_to_sign()}
        return {name: text.encode()[:64 * 1024].decode(errors="ignore") for name, text in signed.items()}

def send(connection, method, target, headers, body):
    connection.putrequest(method, target, skip_host="host" in headers, skip_accept_encoding=True)
    for name, value in (headers | {"content-length": str(len(body.encode()))}).items():
        connection.putheader(name, value.encode())
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # What is too large is refused unread.
        connection.endheaders(body.encode())
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
def control(connection, method, name, document=None):
    headers = {"authorization": f"Bearer {os.environ.get('LOCAL_ENDPOINT_CONTROL_TOKEN')}"}
    status, _, text = send(connection, method, f"/_control/{name}", headers, json.dumps(document) if document else "")
    if not 200 <= status < 300:
        raise RuntimeError(f"_control/{name}: {status}: {text}")
    return json.loads(text)

def elements(parent):
    """The children by name; a list for a repeated name."""
    found = {}
    for child in parent:
        found.setdefault(child.tag, []).append(elements(child) if len(child) else child.text or "")
    return {name: each if len(each) > 1 else each[0] for name, each in found.items()}
def read(text):
    """The elements of a body; none if it cannot be parsed, which the snapshot shows."""
    try:
        return elements(ElementTree.fromstring(text.encode())) if text.startswith("<") else json.loads(text)
    except (ElementTree.ParseError, ValueError):
        return {}

def reads_as(wanted, actual):
    """Whether elements of XML mean the same as JSON: all values are texts, and a list has only its elements."""
    if isinstance(wanted, dict):
        actual = actual or {}
        is_object = isinstance(actual, dict) and actual.keys() <= wanted.keys()
        return is_object and all(reads_as(each, actual.get(name)) for name, each in wanted.items())
    if isinstance(wanted, list):
        actual = [] if actual is None else actual if isinstance(actual, list) else [actual]
        return len(wanted) == len(actual) and all(map(reads_as, wanted, actual))
    return actual == (wanted if isinstance(wanted, str) else json.dumps(wanted))

def account_of(world, key):  # The account that owns an access key.
    for account in world["Accounts"].values():
        owners = [account, *account.get("RamUsers", {}).values(), *account.get("RamRoles", {}).values()]
        if any(key in owner.get("AccessKeys", {}) or key in owner.get("Sessions", {}) for owner in owners):
            return account
    return {}
def holds(wanted, actual):
    """Whether a document has the expected members; null means an absent one."""
    if isinstance(wanted, dict):
        return isinstance(actual, dict) and all(holds(each, actual.get(name)) for name, each in wanted.items())
    return wanted == actual

def transcript(status, headers, text, wire, world, fresh, names):
    """An answer as snapshots show it: each unstable value gets a name in `names`, equal values the same one."""
    body, escaped = read(text), html.escape if text.startswith("<") else lambda each, _: json.dumps(each)[1:-1]
    values = {"RequestId": body.get("RequestId"), "TraceId": headers.get("x-acs-trace-id")}
    values |= {name: escaped(each, False) for name, each in wire.signed_by_server().items()}
    values |= {name: body[name] for name in fresh if name in body and body[name] not in json.dumps(world)}
    for kind, value in (values | {kind: headers.get(name) for name, kind in EXTRA_HEADERS.items()}).items():
        number = 1 + sum(name.startswith(f"[{kind}") for name in names.values())
        if value and value not in names:
            names[value] = f"[{kind}]" if number == 1 else f"[{kind} {number}]"
    told = HEADERS + [name for name in EXTRA_HEADERS if name in headers]
    lines = "".join(f"{name}: {headers.get(name, '(none)')}\n" for name in told)
    whole = f"HTTP {status}\n{lines}\n{text}\n"
    for value in sorted(names, key=len, reverse=True):
        whole = whole.replace(value, names[value])
    return whole

def judged(case, operation, wire, status, headers, text, earlier, before, after):
    """The compared places, with the demanded and the actual values. The snapshot covers everything else."""
    demanded, body, signed = case["answer"], read(text), wire.signed_by_server()
    message = re.sub(r"\[(\w+)\]", lambda name: signed.get(name[1], name[0]), demanded.get("message", ""))
    yield "status", demanded["status"], status
    yield "body/Code", demanded.get("code"), body.get("Code")
    yield "body/Message", message, body.get("Message", "")
    yield "body/AccessDeniedDetail", demanded.get("accessDeniedDetail"), body.get("AccessDeniedDetail")
    patterns = dict.fromkeys(EXTRA_HEADERS, "^$") | {"x-acs-trace-id": "^[0-9a-f]{32}$"}
    for name, pattern in (patterns | demanded.get("headers", {})).items():
        value = headers.get(name, "")
        yield f"header/{name}", value if re.search(pattern, value) else pattern, value
    for name, wanted in demanded.get("elements", {}).items():
        is_so = reads_as(wanted, body.get(name)) if text.startswith("<") else wanted == body.get(name)
        yield f"body/{name}", wanted, wanted if is_so else body.get(name)
    is_same = is_known = False
    for name in fresh(operation):
        is_same = bool(earlier) and body.get(name) == earlier[-1].get(name)
        yield f"body/{name} is that of before", demanded.get("sameAsBefore", False), is_same
        is_known = body.get(name, "") in json.dumps([case["world"], *earlier])
    may_change = demanded["status"] == 200 and bool(operation.get("effects"))
    if not may_change or fresh(operation):
        yield "state has changed", may_change and not is_same and not is_known, before != after
    account = account_of(after, case["request"].get("accessKeyId", "testid"))
    for kind, documents in case.get("after", {}).items():
        for name, wanted in documents.items():
            actual = account.get(kind, {}).get(name)
            yield f"state/{kind}/{name}", wanted, wanted if holds(wanted, actual) else actual

def fresh(operation):
    """The elements that are new in each success that is no replay."""
    return [element["name"] for element in operation["success"]["elements"] if "fresh" in element]

def findings(case, operations, reviewed, connection, style, asked_format):
    control(connection, "POST", "reset")
    control(connection, "PUT", "world", case["world"])
    if "throttling" in case:
        control(connection, "PUT", "throttling", {name.title(): value for name, value in case["throttling"].items()})
    requests, names, shown, bodies = case.get("before", []) + [case["request"]], {}, "", []
    for number, request in enumerate(requests, 1):
        before, earlier = control(connection, "GET", "world"), bodies[:]
        action = request.get("action", case["action"])
        if number == len(requests) and "fault" in case:
            fault = {"Action": action, "Times": 1, "Kind": case["fault"].title().replace("-", "")}
            control(connection, "PUT", "faults", {"Faults": [fault]})
        wire = Wire(request, action, request.get("signature", style), request.get("format", asked_format))
        status, headers, text = send(connection, wire.method, f"/?{encode_pairs(wire.query)}", wire.headers, wire.body)
        bodies.append(read(text))
        shown += f"# call {number}\n" if len(requests) > 1 else ""
        shown += transcript(status, headers, text, wire, case["world"], fresh(operations[action]), names)
    after = control(connection, "GET", "world")
    every = judged(case, operations[action], wire, status, headers, text, earlier, before, after)
    return [{"place": place, "expected": expected, "actual": actual}
            for place, expected, actual in [*every, ("snapshot", reviewed, shown.rstrip())] if expected != actual]

def merge(value, patch):
    """Applies a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    value = value if isinstance(value, dict) else {}
    merged = value | {name: merge(value.get(name), each) for name, each in patch.items()}
    return {name: each for name, each in merged.items() if each is not None}

def load(contracts, file):
    """A case with its world and its action, and its reviewed answers by format."""
    case = json.loads(file.read_text(), object_hook=plain)
    case.setdefault("action", file.parents[2].name)
    if "from" in case["world"]:
        named = json.loads((contracts / "common" / "worlds" / f"{case['world']['from']}.json").read_text())
        case["world"] = merge(named, case["world"].get("merge", {}))
    snapshots = file.parents[2] / "snapshots"
    own = snapshots / f"{file.parent.name}@{file.stem}.snap"
    snapshot = (own if own.exists() else snapshots / f"{file.parent.name}.snap").read_text()
    return case, dict(re.findall(r"(?ms)^== (JSON|XML)\n(.*?)\s*(?=^== |\Z)", snapshot))

def main(url, contracts):
    connection, all_hold = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20), True
    contracts = pathlib.Path(contracts)
    if json.loads((contracts / "format.json").read_text())["format"] != FORMAT:
        raise ValueError(f"{contracts}/format.json: only format {FORMAT} is read")
    operations = {file.parent.name: json.loads(file.read_text()) for file in contracts.glob("*/operation.json")}
    for file in sorted(contracts.glob("*/cases/*/*.json")):
        (case, answers), path = load(contracts, file), file.relative_to(contracts).as_posix()
        request = case["request"]
        styles = [request["signature"]] if "signature" in request else ["V1", "V3"]
        formats = [request["format"]] if "format" in request else ["JSON", "XML"]
        for style, asked in itertools.product(styles, formats):
            usual = "XML" if style == "V1" else "JSON"
            answered = asked.upper() if (asked or "").upper() in ("JSON", "XML") else usual
            can_run = HASHES.get(style, "sha1") in hashlib.algorithms_available
            found = findings(case, operations, answers.get(answered), connection, style, asked) if can_run else []
            verdict = {"holds": not found if can_run else None, "findings": found}
            print(json.dumps({"case": path, "signature": style, "format": answered} | verdict))
            all_hold = all_hold and not found
    return int(not all_hold)

if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 3 else print(__doc__, file=sys.stderr) or 3)
    except (OSError, RuntimeError, LookupError, TypeError, ValueError, http.client.HTTPException) as error:
        sys.exit(print(f"error: {type(error).__name__}: {error}", file=sys.stderr) or 2)
