// Command clients drives the official Alibaba Cloud clients for Go through the life of an Internet bandwidth.
//
//	clients -endpoint 127.0.0.1:8787 -throttling-endpoint 127.0.0.1:8788
//
// Every client makes the same calls; each call prints one line: the client, the scenario, and the client's result with
// its type, as JSON. The expected output is in expected.txt. The endpoint needs the demo world; the throttling one
// admits no call.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/tea"
	tealib "github.com/alibabacloud-go/vpc-20160428/v6/client"
	classicerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	classiclib "github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"
)

const (
	region   = "cn-huhehaote"
	allocate = "AllocateIpv6InternetBandwidth"
	describe = "DescribeIpv6Addresses"
	modify   = "ModifyIpv6InternetBandwidth"
	remove   = "DeleteIpv6InternetBandwidth"
	timeout  = 10_000 // ms
)

// key is an access key; it has a token if it is a temporary one.
type key struct{ id, secret, token string }

// parameters of a call, by their names on the wire.
type parameters map[string]any

// with returns the parameters with others added or replaced.
func (p parameters) with(others parameters) parameters {
	all := parameters{}
	for _, some := range []parameters{p, others} {
		for name, value := range some {
			all[name] = value
		}
	}
	return all
}

// client makes a call and returns the result of the client under test.
type client func(endpoint string, key key, action string, p parameters) (any, error)

// typed makes a call by a method of a client. The requests' members have the names of the parameters.
func typed[Request, Response any](call func(Request) (Response, error), request Request, p parameters) (any, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, request); err != nil {
		return nil, err
	}
	return call(request)
}

// teaClient is the current client. Its algorithm v2 is SignatureVersion=1.0.
func teaClient(signatureAlgorithm string) client {
	return func(endpoint string, key key, action string, p parameters) (any, error) {
		config := &openapi.Config{
			AccessKeyId:        tea.String(key.id),
			AccessKeySecret:    tea.String(key.secret),
			RegionId:           tea.String(region),
			Protocol:           tea.String("http"),
			Endpoint:           tea.String(endpoint),
			ConnectTimeout:     tea.Int(timeout),
			ReadTimeout:        tea.Int(timeout),
			SignatureAlgorithm: tea.String(signatureAlgorithm),
		}
		if key.token != "" {
			config.SecurityToken = tea.String(key.token)
		}
		client, err := tealib.NewClient(config)
		if err != nil {
			return nil, err
		}
		switch action {
		case allocate:
			return typed(client.AllocateIpv6InternetBandwidth, &tealib.AllocateIpv6InternetBandwidthRequest{}, p)
		case describe:
			return typed(client.DescribeIpv6Addresses, &tealib.DescribeIpv6AddressesRequest{}, p)
		case modify:
			return typed(client.ModifyIpv6InternetBandwidth, &tealib.ModifyIpv6InternetBandwidthRequest{}, p)
		default:
			return typed(client.DeleteIpv6InternetBandwidth, &tealib.DeleteIpv6InternetBandwidthRequest{}, p)
		}
	}
}

// classicClient is the older client, which signs with HMAC-SHA1 and takes each parameter as text.
func classicClient(endpoint string, key key, action string, p parameters) (any, error) {
	var client *classiclib.Client
	var err error
	if key.token == "" {
		client, err = classiclib.NewClientWithAccessKey(region, key.id, key.secret)
	} else {
		client, err = classiclib.NewClientWithStsToken(region, key.id, key.secret, key.token)
	}
	if err != nil {
		return nil, err
	}
	client.Domain = endpoint
	texts := parameters{}
	for name, value := range p {
		texts[name] = fmt.Sprint(value)
	}
	switch action {
	case allocate:
		return typed(client.AllocateIpv6InternetBandwidth, classiclib.CreateAllocateIpv6InternetBandwidthRequest(), texts)
	case describe:
		return typed(client.DescribeIpv6Addresses, classiclib.CreateDescribeIpv6AddressesRequest(), texts)
	case modify:
		return typed(client.ModifyIpv6InternetBandwidth, classiclib.CreateModifyIpv6InternetBandwidthRequest(), texts)
	default:
		return typed(client.DeleteIpv6InternetBandwidth, classiclib.CreateDeleteIpv6InternetBandwidthRequest(), texts)
	}
}

// shown is the part of an error that a program can read.
type shown struct {
	Code               string
	Status             int
	Message            string
	RequestID          string         `json:",omitempty"`
	Recommend          string         `json:",omitempty"`
	AccessDeniedDetail map[string]any `json:",omitempty"`
}

func show(err error) any {
	var ofTea *tea.SDKError
	var ofClassic *classicerrors.ServerError
	switch {
	case errors.As(err, &ofTea):
		return shown{
			Code:               tea.StringValue(ofTea.Code),
			Status:             tea.IntValue(ofTea.StatusCode),
			Message:            tea.StringValue(ofTea.Message),
			AccessDeniedDetail: ofTea.AccessDeniedDetail,
		}
	case errors.As(err, &ofClassic):
		return shown{
			Code:               ofClassic.ErrorCode(),
			Status:             ofClassic.HttpStatus(),
			Message:            ofClassic.Message(),
			RequestID:          ofClassic.RequestId(),
			Recommend:          ofClassic.Recommend(),
			AccessDeniedDetail: ofClassic.AccessDeniedDetail(),
		}
	default:
		return err.Error()
	}
}

// life drives a client through the life of a bandwidth, for an address without one.
func life(name string, client client, address, endpoint, throttling string) {
	var bandwidth string
	good := key{id: "testid", secret: "testsecret"}

	to := func(endpoint, scenario, action string, key key, p parameters) {
		answer, err := client(endpoint, key, action, p)
		if err != nil {
			print(name, scenario, err, show(err), bandwidth)
			return
		}
		answer = body(answer)
		if bandwidth == "" {
			bandwidth = bandwidthOf(answer)
		}
		print(name, scenario, answer, answer, bandwidth)
	}
	try := func(scenario, action string, key key, p parameters) { to(endpoint, scenario, action, key, p) }

	call := parameters{
		"RegionId": region, "Ipv6GatewayId": "ipv6gw-demo", "Ipv6AddressId": address,
		"InternetChargeType": "PayByBandwidth", "Bandwidth": 200,
	}
	token := parameters{"ClientToken": name + "-token-1"}
	try("dry-run", allocate, good, call.with(parameters{"DryRun": true}))
	try("allocate", allocate, good, call.with(token))
	try("replay", allocate, good, call.with(token))
	try("session", allocate, key{"STS.demo", "testsecret", "testtoken"}, call.with(token))
	try("already-allocated", allocate, good, call)
	try("mismatch", allocate, good, call.with(token).with(parameters{"Bandwidth": 300}))
	try("not-found", allocate, good, call.with(parameters{"Ipv6AddressId": "ipv6-no-such-address"}))
	try("unknown-region", allocate, good, call.with(parameters{"RegionId": "cn-nowhere"}))

	// Clients differ in how they encode the odd characters.
	odd := parameters{"RegionId": region, "Name": "a b*c~d+e/(!')&=%"}
	try("odd-name", describe, good, odd)
	byBandwidth := parameters{"RegionId": region, "Ipv6InternetBandwidthId": bandwidth}
	try("describe", describe, good, byBandwidth)
	change := byBandwidth.with(parameters{"Bandwidth": 300})
	try("modify", modify, good, change)
	try("modify-illegal", modify, good, byBandwidth.with(parameters{"Bandwidth": 0}))
	try("modify-denied", modify, key{id: "denied", secret: "testsecret"}, change)
	try("describe-modified", describe, good, byBandwidth)
	try("delete", remove, good, byBandwidth)
	try("describe-gone", describe, good, byBandwidth)
	try("modify-gone", modify, good, change)
	try("delete-gone", remove, good, byBandwidth)

	try("wrong-secret", describe, key{id: "testid", secret: "wrong"}, byBandwidth)
	try("unknown-key", describe, key{id: "nobody", secret: "testsecret"}, byBandwidth)
	try("session-expired", describe, key{"STS.expired", "testsecret", "testtoken"}, byBandwidth)
	to(throttling, "throttled", describe, good, byBandwidth)
}

// body returns the body of an answer that has one, else the answer itself.
func body(answer any) any {
	switch answer := answer.(type) {
	case *tealib.AllocateIpv6InternetBandwidthResponse:
		return answer.Body
	case *tealib.DescribeIpv6AddressesResponse:
		return answer.Body
	case *tealib.ModifyIpv6InternetBandwidthResponse:
		return answer.Body
	case *tealib.DeleteIpv6InternetBandwidthResponse:
		return answer.Body
	default:
		return answer
	}
}

// bandwidthOf returns the id of the bandwidth that was bought by an answer, if one was.
func bandwidthOf(answer any) string {
	switch answer := answer.(type) {
	case *tealib.AllocateIpv6InternetBandwidthResponseBody:
		return tea.StringValue(answer.InternetBandwidthId)
	case *classiclib.AllocateIpv6InternetBandwidthResponse:
		return answer.InternetBandwidthId
	default:
		return ""
	}
}

// print writes a line in which the id of the bandwidth has a name that is the same in each run.
func print(name, scenario string, handed, shown any, bandwidth string) {
	text := &strings.Builder{}
	encoder := json.NewEncoder(text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(shown); err != nil {
		panic(err)
	}
	line := fmt.Sprintf("%s %s %T %s", name, scenario, handed, text)
	if bandwidth != "" {
		line = strings.ReplaceAll(line, bandwidth, "{internetBandwidthId}")
	}
	fmt.Print(line)
}

func main() {
	endpoint := flag.String("endpoint", "", "the `HOST:PORT` of an endpoint with the demo world")
	throttling := flag.String("throttling-endpoint", "", "the `HOST:PORT` of an endpoint that lets no call in")
	flag.Parse()
	if *endpoint == "" || *throttling == "" {
		flag.Usage()
		os.Exit(2)
	}
	life("go-tea", teaClient("ACS3-HMAC-SHA256"), "ipv6-demo01", *endpoint, *throttling)
	life("go-tea-sm3", teaClient("ACS3-HMAC-SM3"), "ipv6-demo02", *endpoint, *throttling)
	life("go-tea-v1", teaClient("v2"), "ipv6-demo03", *endpoint, *throttling)
	life("go-classic", classicClient, "ipv6-demo04", *endpoint, *throttling)
}
