//! `contract call --curl`: a shell runs the printed line.

use foreign::tools;
use suites::command::{contract, endpoint, printed};

#[tokio::test]
async fn a_case_can_be_tried_again_with_curl() {
    let (_endpoint, url) = endpoint(&[]).await;
    for (case, message) in [
        ("Success/no-token-second-address", "\"Ipv6AddressId\":\"ipv6-other\""),
        (
            "AllocateIpv6InternetBandwidth/cases/SystemBusy/store-unavailable",
            "\"Code\":\"SystemBusy\"",
        ),
        ("Throttling.User/sm3", "\"Code\":\"Throttling.User\""),
    ] {
        let output = contract(&["call", "--endpoint", &url, "--case", case, "--curl"]);
        assert!(output.status.success(), "{}", printed(&output));
        let shell = ["-euc", &printed(&output)];
        let output = tools::command("bash").args(shell).output().unwrap();
        assert!(printed(&output).contains(message), "{}", printed(&output));
    }
}
