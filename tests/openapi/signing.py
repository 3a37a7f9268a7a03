"""Signs what Schemathesis makes up as V1 calls, with the demo world's key.

Half of the regions and addresses are exchanged for ones that there are: made up ones are all refused before
most rules are looked at. For the same reason a POST, whose parameters may all stand in the query or in the form,
is given those that it has in neither, or empty; a GET shows what is answered without them."""

import base64
import hmac
import time
import uuid
import zlib
from urllib.parse import quote

import schemathesis

KNOWN = {"RegionId": "cn-huhehaote", "Ipv6AddressId": "ipv6-demo01"}
DEMANDED = KNOWN | {"Action": "AllocateIpv6InternetBandwidth", "Version": "2016-04-28", "Bandwidth": "200"}


def text(name, value):
    value = str(value).lower() if isinstance(value, bool) else str(value)
    known = KNOWN.get(name)
    return known if known and value and zlib.crc32(value.encode()) % 2 else value


def texts(parameters):
    return {name: text(name, value) for name, value in parameters.items() if value is not None}


@schemathesis.auth()
class Signature:
    def get(self, case, context):
        return "testid", "testsecret"

    def set(self, case, data, context):
        key, secret = data
        body = texts(case.body) if isinstance(case.body, dict) else {}
        query = texts(case.query or {})
        if case.method.upper() == "POST":
            body = {name: value for name, value in body.items() if value or name not in DEMANDED}
            left_out = {name: value for name, value in DEMANDED.items() if name not in body}
            query |= {name: value for name, value in left_out.items() if not query.get(name)}
        query |= {
            "AccessKeyId": key,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": str(uuid.uuid4()),
            "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        # The form's value wins.
        signed = sorted((query | body).items())
        pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in signed)
        to_sign = f"{case.method.upper()}&%2F&{quote(pairs, safe='')}"
        digest = hmac.new(f"{secret}&".encode(), to_sign.encode(), "sha1").digest()
        case.query = query | {"Signature": base64.b64encode(digest).decode()}
        if body:
            case.body = body
