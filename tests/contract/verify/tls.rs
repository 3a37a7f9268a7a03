//! Endpoints that speak TLS, as deployed ones do.

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use suites::command::{command, endpoint, printed};
use suites::scratch;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_speaks_tls_is_verified_if_the_system_trusts_it() {
    let (endpoint, _) = endpoint(&[]).await;
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let address = endpoint.address().to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, address) = (acceptor.clone(), address.clone());
            tokio::spawn(async move {
                // A client that does not trust the certificate disconnects.
                let Ok(mut inside) = acceptor.accept(stream).await else { return };
                let mut behind = TcpStream::connect(address).await.unwrap();
                drop(tokio::io::copy_bidirectional(&mut inside, &mut behind).await);
            });
        }
    });
    let folder = scratch();
    let certificate = folder.path().join("certificate.pem");
    std::fs::write(&certificate, cert.pem()).unwrap();
    let arguments = ["verify", "--endpoint", &url, "--case", "IllegalParam.Bandwidth/*"];
    let mut trusted = command(&arguments);
    let output = trusted.env("SSL_CERT_FILE", &certificate).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    let strange = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap().cert.pem();
    std::fs::write(&certificate, strange).unwrap();
    let output = command(&arguments).env("SSL_CERT_FILE", &certificate).output().unwrap();
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("invalid peer certificate"), "{text}");

    // The option precedes the system's certificates.
    let trusted = folder.path().join("it's trusted.pem");
    std::fs::write(&trusted, cert.pem()).unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let absent = folder.path().join("absent.pem");
    for (file, code, message) in [
        (&trusted, 0, r"--cacert '/"),
        (&certificate, 2, "invalid peer certificate"),
        (&empty, 2, "empty.pem: it has no PEM certificate"),
        (&absent, 2, "absent.pem: No such file"),
    ] {
        // The command does not wait for an endpoint with a wrong certificate.
        let more = ["--wait", "100000", "--cacert", file.to_str().unwrap()];
        let mut command = command(&[&arguments[..], &more].concat());
        let output = command.env("SSL_CERT_FILE", &certificate).output().unwrap();
        let text = printed(&output);
        assert!(output.status.code() == Some(code) && text.contains(message), "{file:?}: {text}");
    }
}
