"""Drives the official Alibaba Cloud clients for Python through the life of an Internet bandwidth.

    drive.py --endpoint 127.0.0.1:8787 [--replaying-endpoint 127.0.0.1:8788] [--throttling-endpoint 127.0.0.1:8789]
             [--client NAME] [--address-prefix ipv6-demo]

Every client makes the same calls; each call prints one JSON object per line. The expected output is in
../expected.json. The endpoint needs the addresses ipv6-demo01 to ipv6-demo06 (one per client, without bandwidth),
ipv6-released (known, but gone), the gateway ipv6gw-demo, and the keys of the demo world: testid, allowed, denied,
disabled, STS.demo and STS.expired. The replaying endpoint sends each request
twice and returns the second answer; the throttling one admits no call. Scenarios for an endpoint that is not given
are skipped.
"""
import argparse
import asyncio
import importlib
import json
import os
from typing import NamedTuple, Optional

# Tea passes HTTP_PROXY on itself and ignores NO_PROXY, also for 127.0.0.1. The others read both while loading.
for variable in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
    os.environ.pop(variable, None)
    os.environ.pop(variable.upper(), None)
# Classic prefers these to a given credential.
for variable in ("ALIYUN_ACCESS_KEY_ID", "ALIYUN_ACCESS_KEY_SECRET"):
    os.environ.pop(variable, None)

from alibabacloud_tea_openapi.utils_models import Config
from alibabacloud_vpc20160428 import models as tea_models
from alibabacloud_vpc20160428.client import Client as TeaClient
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest
from aliyunsdkvpc.request import v20160428 as classic_requests

REGION = "cn-huhehaote"
TIMEOUT = 10  # seconds
ALLOCATE, DESCRIBE = "AllocateIpv6InternetBandwidth", "DescribeIpv6Addresses"
MODIFY, DELETE = "ModifyIpv6InternetBandwidth", "DeleteIpv6InternetBandwidth"
TEA_METHODS = {
    ALLOCATE: "allocate_ipv_6internet_bandwidth",
    DESCRIBE: "describe_ipv_6addresses",
    MODIFY: "modify_ipv_6internet_bandwidth",
    DELETE: "delete_ipv_6internet_bandwidth",
}
BOUGHT = object()  # the id of the bandwidth that "allocate" bought, as the value of a parameter


class Key(NamedTuple):
    id: str
    secret: str
    token: Optional[str] = None  # of a temporary key


# Each client: (endpoint, key, action, parameters) -> (type of the answer, HTTP status or None, members of the answer)

def tea(endpoint, key, action, parameters, signature_algorithm=None, asynchronous=False):
    client = TeaClient(Config(
        access_key_id=key.id, access_key_secret=key.secret, security_token=key.token, region_id=REGION,
        protocol="http", endpoint=endpoint, signature_algorithm=signature_algorithm,
        connect_timeout=TIMEOUT * 1000, read_timeout=TIMEOUT * 1000,
    ))
    request = getattr(tea_models, action + "Request")().from_map(parameters)
    method = TEA_METHODS[action]
    if asynchronous:
        response = asyncio.run(getattr(client, method + "_async")(request))
    else:
        response = getattr(client, method)(request)
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
    # The client prefers a given key to a credential, so only one of the two may be given.
    holder = {"credential": StsTokenCredential(*key)} if key.token else {"ak": key.id, "secret": key.secret}
    return host, AcsClient(
        **holder, region_id=region, port=int(port), connect_timeout=TIMEOUT, timeout=TIMEOUT,
    )


def classic(endpoint, key, action, parameters):
    others = dict(parameters)
    # The typed request has no setter for RegionId: the client sends its own region.
    host, client = acs_client(endpoint, key, region=others.pop("RegionId"))
    module = importlib.import_module(f"{classic_requests.__name__}.{action}Request")
    request = getattr(module, action + "Request")()
    request.set_endpoint(host)
    for name, value in others.items():
        getattr(request, "set_" + name)(value)
    return untyped(client.do_action_with_exception(request))


def classic_common(endpoint, key, action, parameters):
    host, client = acs_client(endpoint, key, REGION)
    request = CommonRequest()
    request.set_domain(host)
    request.set_version("2016-04-28")
    request.set_action_name(action)
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
    """Yields (name, action, parameters, key) in the order in which they must run."""
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
    yield "dry-run", ALLOCATE, {**call, "Bandwidth": 100, "DryRun": True}, good
    yield "allocate", ALLOCATE, {**call, **token}, good
    yield "replay", ALLOCATE, {**call, **token}, good
    yield "already-allocated", ALLOCATE, {**call, "ClientToken": client + "-token-2"}, good
    yield "mismatch", ALLOCATE, {**call, **token, "Bandwidth": 300}, good
    yield "bad-bandwidth", ALLOCATE, {**call, "Bandwidth": 5000, "InternetChargeType": "PayByTraffic"}, good
    yield "not-found", ALLOCATE, {**call, "Ipv6AddressId": "ipv6-no-such-address"}, good
    yield "released", ALLOCATE, {**call, "Ipv6AddressId": "ipv6-released"}, good
    yield "unknown-region", ALLOCATE, {**call, "RegionId": "cn-nowhere"}, good
    yield "wrong-secret", ALLOCATE, call, Key("testid", "wrong")
    yield "unknown-key", ALLOCATE, call, Key("nobody", "testsecret")
    # Every character that one of the clients encodes in its own way. If the endpoint finds the bandwidth of
    # "allocate", both signed the same text.
    yield "odd-token", ALLOCATE, {**call, "DryRun": True, "ClientToken": "a b*c~d+e/(!')&=%"}, good
    yield "denied", ALLOCATE, call, Key("denied", "testsecret")
    # A client token belongs to the account: each of its keys that repeats the call of "allocate" gets that
    # answer. So these two succeed without an address of their own.
    yield "allowed", ALLOCATE, {**call, **token}, Key("allowed", "testsecret")
    yield "session", ALLOCATE, {**call, **token}, Key("STS.demo", "testsecret", "testtoken")
    yield "session-expired", ALLOCATE, call, Key("STS.expired", "testsecret", "testtoken")
    yield "session-without-token", ALLOCATE, call, Key("STS.demo", "testsecret")
    yield "session-wrong-token", ALLOCATE, call, Key("STS.demo", "testsecret", "othertoken")
    yield "session-wrong-secret", ALLOCATE, call, Key("STS.demo", "wrong", "testtoken")
    yield "disabled", ALLOCATE, call, Key("disabled", "testsecret")
    yield "replayed", ALLOCATE, {**call, **token}, good
    yield "throttled", ALLOCATE, {**call, **token}, good
    # The rest of the bandwidth's life.
    bandwidth = {"RegionId": REGION, "Ipv6InternetBandwidthId": BOUGHT}
    change = {**bandwidth, "Bandwidth": 300}
    yield "describe", DESCRIBE, bandwidth, good
    yield "modify", MODIFY, change, good
    yield "modify-denied", MODIFY, change, Key("denied", "testsecret")
    yield "describe-modified", DESCRIBE, {"RegionId": REGION, "Ipv6AddressId": address}, good
    yield "delete", DELETE, bandwidth, good
    yield "describe-gone", DESCRIBE, bandwidth, good
    yield "modify-gone", MODIFY, change, good
    yield "delete-gone", DELETE, bandwidth, good


def run(call, endpoint, action, parameters, key):
    try:
        kind, status, answer = call(endpoint, key, action, parameters)
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
    listed = answer.pop("Ipv6Addresses", None)
    if listed is not None:
        answer["listed"] = "; ".join(map(summary, listed["Ipv6Address"]))
    return {"outcome": "success", "type": kind, "status": status, **answer}


def summary(address):
    """Describes the bandwidth of an address in one text, in which the test finds the id."""
    bandwidth = address["Ipv6InternetBandwidth"]
    return f"{address['Ipv6AddressId']}: {bandwidth['Ipv6InternetBandwidthId']}, {bandwidth['Bandwidth']} Mbit/s"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True, metavar="HOST:PORT")
    parser.add_argument("--replaying-endpoint", metavar="HOST:PORT")
    parser.add_argument("--throttling-endpoint", metavar="HOST:PORT")
    parser.add_argument("--client", choices=CLIENTS)
    parser.add_argument("--address-prefix", default="ipv6-demo")
    arguments = parser.parse_args()
    # The scenarios for the other endpoints.
    elsewhere = {"replayed": arguments.replaying_endpoint, "throttled": arguments.throttling_endpoint}
    for number, (client, call) in enumerate(CLIENTS.items(), start=1):
        if arguments.client in (None, client):
            address = f"{arguments.address_prefix}{number:02}"
            bought = None
            for scenario, action, parameters, key in scenarios(client, address):
                endpoint = elsewhere.get(scenario, arguments.endpoint)
                if endpoint is not None:
                    given = {name: bought if value is BOUGHT else value for name, value in parameters.items()}
                    result = run(call, endpoint, action, given, key)
                    bought = bought or result.get("InternetBandwidthId")
                    print(json.dumps({"client": client, "scenario": scenario, **result}), flush=True)


if __name__ == "__main__":
    main()
