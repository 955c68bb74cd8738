//! What is wrong with TLS is told by a real handshake: an unknown authority, a certificate that is out of date, one for
//! another name.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection};
use serde_json::json;

use super::{Machine, seal, token_credential};

/// A certificate for a name, and the authority that signed it, as PEM.
struct Server {
    config: Arc<ServerConfig>,
    authority: String,
}

impl Server {
    fn new(name: &str, years: (i32, i32)) -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority
            .distinguished_name
            .push(DnType::CommonName, format!("the authority of {name}"));
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
        let key = KeyPair::generate().unwrap();
        let mut own = CertificateParams::new(vec![name.to_owned()]).unwrap();
        own.not_before = date_time_ymd(years.0, 1, 1);
        own.not_after = date_time_ymd(years.1, 1, 1);
        let issuer = Issuer::new(authority, authority_key);
        let certificate = own.signed_by(&key, &issuer).unwrap();
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], der)
            .unwrap();
        Self {
            config: Arc::new(config),
            authority: authority_pem,
        }
    }

    /// Shakes hands with whoever comes; says nothing after that. Gives the address.
    fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let config = Arc::clone(&self.config);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                shake_hands(&config, stream);
            }
        });
        address
    }
}

fn shake_hands(config: &Arc<ServerConfig>, mut stream: TcpStream) {
    let mut connection = ServerConnection::new(Arc::clone(config)).unwrap();
    while connection.is_handshaking() {
        if connection.complete_io(&mut stream).is_err() {
            return;
        }
    }
}

/// What doctor finds on both sides of a connection to this server, by a machine that trusts this authority.
fn found(server: &Server, trusted: &str) -> Vec<(String, String)> {
    let mut machine = Machine::with_home();
    let address = server.serve();
    machine.write_config(&format!(
        "[connections.acme]\npair = \"netsuite-bill\"\n[connections.acme.netsuite]\naccount = \"1234567_SB1\"\n\
         credential = \"n\"\nbase_url = \"{address}\"\n[connections.acme.bill]\n\
         organization = \"00801ABCDEFGHIJKLMNO\"\nenvironment = \"sandbox\"\ncredential = \"b\"\n\
         base_url = \"{address}/connect\"\n"
    ));
    let bill = json!({"dev_key": "k", "username": "u", "password": "p"});
    seal(&machine, "n", "netsuite-tba", &token_credential());
    seal(&machine, "b", "bill", &bill);
    let file = machine.folder.path().join("authorities.pem");
    std::fs::write(&file, trusted).unwrap();
    let path = file.to_str().unwrap().to_owned();
    machine.environment.insert("SSL_CERT_FILE".to_owned(), path);
    let done = machine.tieout(&["doctor", "--json"]);
    assert_eq!(done.status, 4, "{}{}", done.out, done.err);
    let checks = done.json()["checks"].as_array().unwrap().clone();
    let failed = checks.iter().filter(|check| check["status"] == "failed");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    failed
        .map(|check| (text(&check["code"]), text(&check["cause"])))
        .collect()
}

#[test]
fn what_is_wrong_with_tls_is_told_from_a_real_handshake() {
    let good = Server::new("127.0.0.1", (2020, 2100));
    let expired = Server::new("127.0.0.1", (2020, 2021));
    let young = Server::new("127.0.0.1", (2090, 2100));
    let elsewhere = Server::new("elsewhere.example.com", (2020, 2100));
    for (server, trusted, code) in [
        (&good, &elsewhere.authority, "tls-untrusted"),
        (&expired, &expired.authority, "tls-expired"),
        (&young, &young.authority, "tls-expired"),
        (&elsewhere, &elsewhere.authority, "tls-wrong-name"),
    ] {
        let found = found(server, trusted);
        let codes: Vec<_> = found.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(codes, [code, code], "{found:?}");
    }
    // One that is in order is no matter of TLS.
    let found = found(&good, &good.authority);
    assert!(
        found.iter().all(|(code, _)| !code.starts_with("tls-")),
        "{found:?}"
    );
}
