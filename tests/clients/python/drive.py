"""Drives the official Alibaba Cloud clients for Python against an endpoint of AllocateIpv6InternetBandwidth.

    drive.py --endpoint 127.0.0.1:8787 [--replaying-endpoint 127.0.0.1:8788] [--throttling-endpoint 127.0.0.1:8789]
             [--client NAME] [--address-prefix ipv6-demo]

Every client makes the same calls; each call prints one JSON object per line. What must be printed is in
../expected.json. The endpoint needs the addresses ipv6-demo01 to ipv6-demo06 (one per client, without bandwidth),
ipv6-released (known, but gone), the gateway ipv6gw-demo, and the keys of the demo world: testid, allowed, denied,
disabled, STS.demo and STS.expired. The replaying endpoint answers what the endpoint answers to the same request sent
a second time; the throttling one lets no call in. What needs one that is not given is left out.
"""
import argparse
import asyncio
import json
import os
from typing import NamedTuple, Optional

# Tea hands HTTP_PROXY on by itself and ignores NO_PROXY, also for 127.0.0.1. The others read them while loading.
for variable in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
    os.environ.pop(variable, None)
    os.environ.pop(variable.upper(), None)
# Classic takes these before a credential that it is given.
for variable in ("ALIYUN_ACCESS_KEY_ID", "ALIYUN_ACCESS_KEY_SECRET"):
    os.environ.pop(variable, None)

from alibabacloud_tea_openapi.utils_models import Config
from alibabacloud_vpc20160428.client import Client as TeaClient
from alibabacloud_vpc20160428.models import AllocateIpv6InternetBandwidthRequest as TeaRequest
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest
from aliyunsdkvpc.request.v20160428.AllocateIpv6InternetBandwidthRequest import (
    AllocateIpv6InternetBandwidthRequest as ClassicRequest,
)

REGION = "cn-huhehaote"
TIMEOUT = 10  # seconds


class Key(NamedTuple):
    id: str
    secret: str
    token: Optional[str] = None  # of a temporary key


# Each client: (endpoint, key, parameters) -> (type of the answer, HTTP status or None, members of the answer)

def tea(endpoint, key, parameters, signature_algorithm=None, asynchronous=False):
    client = TeaClient(Config(
        access_key_id=key.id, access_key_secret=key.secret, security_token=key.token, region_id=REGION,
        protocol="http", endpoint=endpoint, signature_algorithm=signature_algorithm,
        connect_timeout=TIMEOUT * 1000, read_timeout=TIMEOUT * 1000,
    ))
    request = TeaRequest().from_map(parameters)
    if asynchronous:
        response = asyncio.run(client.allocate_ipv_6internet_bandwidth_async(request))
    else:
        response = client.allocate_ipv_6internet_bandwidth(request)
    return type(response).__name__, response.status_code, response.body.to_map()


def tea_async(*call):
    return tea(*call, asynchronous=True)  # another HTTP library, other encoding of the query, one more header


def tea_v1(*call):
    return tea(*call, signature_algorithm="v2")  # what this client calls v2 is SignatureVersion=1.0


def tea_sm3(*call):
    return tea(*call, signature_algorithm="ACS3-HMAC-SM3")


def acs_client(endpoint, key, region):
    # The port belongs to the client, the host to the request: a port in both places ends up in the URL twice.
    host, port = endpoint.rsplit(":", 1)
    # A key that is given as such goes before a credential, so that only one of the two may be given.
    holder = {"credential": StsTokenCredential(*key)} if key.token else {"ak": key.id, "secret": key.secret}
    return host, AcsClient(
        **holder, region_id=region, port=int(port), connect_timeout=TIMEOUT, timeout=TIMEOUT,
    )


def classic(endpoint, key, parameters):
    others = dict(parameters)
    # The typed request has no setter for RegionId: the client sends its own region.
    host, client = acs_client(endpoint, key, region=others.pop("RegionId"))
    request = ClassicRequest()
    request.set_endpoint(host)
    for name, value in others.items():
        getattr(request, "set_" + name)(value)
    return untyped(client.do_action_with_exception(request))


def classic_common(endpoint, key, parameters):
    host, client = acs_client(endpoint, key, REGION)
    request = CommonRequest()
    request.set_domain(host)
    request.set_version("2016-04-28")
    request.set_action_name("AllocateIpv6InternetBandwidth")
    request.set_method("POST")
    # RegionId goes into the body with the rest; the client puts its own region into the query besides.
    # The body's counts, for the signature too.
    for name, value in parameters.items():
        request.add_body_params(name, value)
    return untyped(client.do_action_with_exception(request))


def untyped(body):
    answer = json.loads(body)  # the client returns the bytes as received
    return type(answer).__name__, None, answer


CLIENTS = {
    "tea-sync": tea,
    "tea-async": tea_async,
    "tea-v1": tea_v1,
    "tea-sm3": tea_sm3,
    "classic": classic,
    "classic-common": classic_common,
}


def scenarios(client, address):
    """Yields (name, parameters, key) in the order in which they must run."""
    call = {
        "RegionId": REGION,
        "Ipv6GatewayId": "ipv6gw-demo",
        "Ipv6AddressId": address,
        "InternetChargeType": "PayByBandwidth",
        "Bandwidth": 200,
        "DryRun": False,  # the Python clients write False and True on the wire
    }
    token = {"ClientToken": client + "-token-1"}
    good = Key("testid", "testsecret")
    yield "dry-run", {**call, "Bandwidth": 100, "DryRun": True}, good
    yield "allocate", {**call, **token}, good
    yield "replay", {**call, **token}, good
    yield "already-allocated", {**call, "ClientToken": client + "-token-2"}, good
    yield "mismatch", {**call, **token, "Bandwidth": 300}, good
    yield "bad-bandwidth", {**call, "Bandwidth": 5000, "InternetChargeType": "PayByTraffic"}, good
    yield "not-found", {**call, "Ipv6AddressId": "ipv6-no-such-address"}, good
    yield "released", {**call, "Ipv6AddressId": "ipv6-released"}, good
    yield "unknown-region", {**call, "RegionId": "cn-nowhere"}, good
    yield "wrong-secret", call, Key("testid", "wrong")
    yield "unknown-key", call, Key("nobody", "testsecret")
    # Every character that one of the clients encodes in its own way. That the endpoint gets as far as to find
    # the bandwidth of "allocate" shows that it signed the same text.
    yield "odd-token", {**call, "DryRun": True, "ClientToken": "a b*c~d+e/(!')&=%"}, good
    yield "denied", call, Key("denied", "testsecret")
    # A client token belongs to the account: whoever of it makes the call of "allocate" again gets that answer. So
    # these two succeed without an address of their own.
    yield "allowed", {**call, **token}, Key("allowed", "testsecret")
    yield "session", {**call, **token}, Key("STS.demo", "testsecret", "testtoken")
    yield "session-expired", call, Key("STS.expired", "testsecret", "testtoken")
    yield "session-without-token", call, Key("STS.demo", "testsecret")
    yield "session-wrong-token", call, Key("STS.demo", "testsecret", "othertoken")
    yield "session-wrong-secret", call, Key("STS.demo", "wrong", "testtoken")
    yield "disabled", call, Key("disabled", "testsecret")
    yield "replayed", {**call, **token}, good
    yield "throttled", {**call, **token}, good


def run(call, endpoint, parameters, key):
    try:
        kind, status, answer = call(endpoint, key, parameters)
    except Exception as error:  # whatever the client throws is a result
        result = {
            "outcome": "error",
            "exception": type(error).__name__,
            # Tea has code and status_code, classic error_code and http_status; both have message and request_id.
            "code": getattr(error, "code", None) or getattr(error, "error_code", None),
            "status": getattr(error, "status_code", None) or getattr(error, "http_status", None),
            "message": getattr(error, "message", None) or str(error),
            "requestId": getattr(error, "request_id", None),
        }
        # Only Tea has these, and only with some errors.
        details = {
            "accessDeniedDetail": getattr(error, "access_denied_detail", None),
            "retryAfter": getattr(error, "retry_after", None),
        }
        return {**result, **{name: detail for name, detail in details.items() if detail is not None}}
    members = ("Ipv6AddressId", "InternetBandwidthId", "RequestId")
    return {"outcome": "success", "type": kind, "status": status, **{name: answer.get(name) for name in members}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True, metavar="HOST:PORT")
    parser.add_argument("--replaying-endpoint", metavar="HOST:PORT")
    parser.add_argument("--throttling-endpoint", metavar="HOST:PORT")
    parser.add_argument("--client", choices=CLIENTS)
    parser.add_argument("--address-prefix", default="ipv6-demo")
    arguments = parser.parse_args()
    # The scenarios that are not for the endpoint itself.
    elsewhere = {"replayed": arguments.replaying_endpoint, "throttled": arguments.throttling_endpoint}
    for number, (client, call) in enumerate(CLIENTS.items(), start=1):
        if arguments.client in (None, client):
            address = f"{arguments.address_prefix}{number:02}"
            for scenario, parameters, key in scenarios(client, address):
                endpoint = elsewhere.get(scenario, arguments.endpoint)
                if endpoint is not None:
                    result = run(call, endpoint, parameters, key)
                    print(json.dumps({"client": client, "scenario": scenario, **result}), flush=True)


if __name__ == "__main__":
    main()
