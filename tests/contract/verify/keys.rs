//! The access key for an endpoint without control paths.

use std::path::Path;

use suites::command::{command, endpoint, printed};
use suites::scratch;

/// Keys, each of the demo world's account that it is named after.
const CONFIG: &str = r#"{"current": "arrears", "profiles": [
    {"name": "arrears", "mode": "AK", "access_key_id": "in-arrears", "access_key_secret": "testsecret"},
    {"name": "demo", "mode": "AK", "access_key_id": "testid", "access_key_secret": "testsecret"},
    {"name": "broken", "mode": "AK", "access_key_id": "testid\n", "access_key_secret": "testsecret"},
    {"name": "ecs", "mode": "EcsRamRole"}]}"#;

/// The output of the command with these options and variables.
fn verify(url: &str, home: &Path, options: &[&str], variables: &[(&str, &str)]) -> String {
    let place = ["verify", "--endpoint", url, "--as-given", "--case", "MissingAction/*"];
    let mut command = command(&[&place[..], options].concat());
    command.env("HOME", home).envs(variables.iter().copied());
    printed(&command.output().unwrap())
}

#[tokio::test]
async fn options_precede_the_environment_and_that_the_current_profile() {
    let (_endpoint, url) = endpoint(&[]).await;
    let home = scratch();
    std::fs::create_dir(home.path().join(".aliyun")).unwrap();
    // With the byte order mark that some editors write.
    std::fs::write(home.path().join(".aliyun/config.json"), format!("\u{feff}{CONFIG}")).unwrap();
    let options = ["--access-key-id", "denied", "--access-key-secret", "testsecret"];
    let of_arrears = [
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "in-arrears"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "testsecret"),
    ];
    let named = [("ALIBABA_CLOUD_PROFILE", "demo")];
    let broken = [of_arrears[0], ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "testsecret\n")];
    let profile = ["--profile", "demo"];
    for (options, variables, message) in [
        (&options[..], &of_arrears[..], "signed with denied*** of --access-key-id\n"),
        (&profile, &of_arrears, "signed with testid*** of "),
        (&[], &of_arrears, "signed with in-arr*** of ALIBABA_CLOUD_ACCESS_KEY_ID\n"),
        (&[], &named, "config.json: the profile demo\n"),
        (&[], &[], "config.json: the profile arrears\n"),
        (&[], &of_arrears[..1], "ALIBABA_CLOUD_ACCESS_KEY_SECRET is not"),
        (
            &[],
            &broken,
            "error: ALIBABA_CLOUD_ACCESS_KEY_ID: the access key, its secret or its token contains",
        ),
        (&["--profile", "broken"], &[], "config.json: the profile broken: the access key"),
        (&["--profile", "ecs"], &[], "the profile ecs has the mode EcsRamRole"),
        (&["--profile", "nobody"], &[], "no profile is named nobody"),
        (&options[..2], &[], "--access-key-secret"),
    ] {
        let printed = verify(&url, home.path(), options, variables);
        assert!(printed.contains(message), "{options:?} {variables:?}: {printed}");
        assert!(!printed.contains("testsecret"), "{printed}");
    }
}
