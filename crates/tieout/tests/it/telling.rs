//! Mails and hooks on their way out, to servers on loopback.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use tieout::home::{Home, KEY, Place};
use tieout::serve::Service;
use tieout_server::hooks::signature;
use tieout_server::mail::Said;
use tieout_server::notices::Courier;
use tieout_store::Vault;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// A service whose configuration says this of its server.
async fn service(folder: &Path, server: &str) -> Arc<Service> {
    std::fs::write(folder.join("tieout.toml"), server).unwrap();
    Vault::create_key_file(&folder.join(KEY)).unwrap();
    let place = Place {
        home: Some(folder.to_owned()),
        key_file: Some(folder.join(KEY)),
    };
    let home = Home::open(&place).await.unwrap();
    let vault = home.vault().await.unwrap();
    let login = r#"{"username": "tieout", "password": "hush"}"#;
    for (name, kind, fields) in [
        ("mail", "smtp", login),
        ("chat", "hook", r#"{"secret": "hush"}"#),
    ] {
        home.store
            .credentials()
            .set(&vault, name, kind, fields.into(), "user:ann")
            .await
            .unwrap();
    }
    Service::new(home).await.unwrap()
}

fn said() -> Said {
    Said {
        subject: "acme-us: Größe\r\nBcc: thief@example.com".to_owned(),
        text: "3 records wait".to_owned(),
        html: "<p>3 records wait</p>".to_owned(),
    }
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// A mail server that takes one mail, and gives what it was told; it declines recipients that are `nobody`.
async fn mail_server(listener: TcpListener) -> Vec<String> {
    let (stream, _) = listener.accept().await.unwrap();
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut told = Vec::new();
    let mut writing = false;
    write.write_all(b"220 mail\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match line.split(' ').next().unwrap_or_default() {
            _ if writing && line != "." => "",
            "EHLO" => "250-mail\r\n250 AUTH PLAIN\r\n",
            "AUTH" => "235 come in\r\n",
            "RCPT" if line.contains("nobody") => "550 no such mailbox\r\n",
            "DATA" => "354 go on\r\n",
            "QUIT" => "221 bye\r\n",
            _ => "250 well\r\n",
        };
        writing = line == "DATA" || (writing && line != ".");
        told.push(line);
        write.write_all(answer.as_bytes()).await.unwrap();
    }
    told
}

#[tokio::test]
async fn a_mail_goes_out_once_with_no_header_that_is_not_ours() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, port) = listener().await;
    let config = format!(
        "[server.mail]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\ncredential = \"mail\"\n\
         from = \"tieout <tieout@example.com>\"\n"
    );
    let service = service(folder.path(), &config).await;
    let server = tokio::spawn(mail_server(listener));
    service
        .mail("mail/x/1", "ap@example.com", &said())
        .await
        .unwrap();
    let told = server.await.unwrap();
    let starts = |start: &str| told.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!(starts("RCPT TO:<ap@example.com>"), 1, "{told:?}");
    assert_eq!(starts("Bcc"), 0, "{told:?}");
    assert_eq!(starts("Subject: acme-us: "), 1, "{told:?}");
    assert_eq!(starts("Message-ID: <"), 1, "{told:?}");
    assert!(told.iter().any(|line| line == "3 records wait"), "{told:?}");
    assert!(
        told.iter().any(|line| line == "<p>3 records wait</p>"),
        "{told:?}"
    );
}

#[tokio::test]
async fn what_a_mail_server_declines_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, port) = listener().await;
    let config = format!(
        "[server.mail]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"a@example.com\"\n"
    );
    let service = service(folder.path(), &config).await;
    let server = tokio::spawn(mail_server(listener));
    let failed = service
        .mail("m", "nobody@example.com", &said())
        .await
        .unwrap_err();
    assert!(failed.for_good, "{failed:?}");
    assert!(failed.cause.contains("no such mailbox"), "{failed:?}");
    server.abort();
    let unfit = service.mail("m", "no address", &said()).await.unwrap_err();
    assert!(unfit.for_good, "{unfit:?}");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_before_a_password_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, port) = listener().await;
    let config = format!(
        "[server.mail]\nhost = \"localhost\"\nport = {port}\ntls = \"implicit\"\ncredential = \"mail\"\n\
         from = \"a@example.com\"\n"
    );
    let service = service(folder.path(), &config).await;
    let server = tokio::spawn(untrusted(listener));
    let failed = service
        .mail("m", "ap@example.com", &said())
        .await
        .unwrap_err();
    assert!(!failed.for_good, "{failed:?}");
    assert!(!failed.cause.contains("hush"), "{failed:?}");
    assert_eq!(server.await.unwrap(), None, "{failed:?}");
}

/// Shows a certificate of its own making, and gives the first byte that came after it was taken.
async fn untrusted(listener: TcpListener) -> Option<u8> {
    use tokio::io::AsyncReadExt as _;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider();
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let mut stream = TlsAcceptor::from(Arc::new(config))
        .accept(stream)
        .await
        .ok()?;
    stream.write_all(b"220 mail\r\n").await.ok()?;
    stream.read_u8().await.ok()
}

#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<(HeaderMap, String)>>>);

async fn receive(State(received): State<Received>, headers: HeaderMap, body: String) -> StatusCode {
    let mut received = received.0.lock().unwrap();
    received.push((headers, body));
    match received.len() {
        1 => StatusCode::OK,
        2 => StatusCode::BAD_GATEWAY,
        _ => StatusCode::GONE,
    }
}

#[tokio::test]
async fn a_hook_is_signed_so_that_its_receiver_can_tell() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, port) = listener().await;
    let received = Received::default();
    let router = Router::new()
        .route("/hook", post(receive))
        .with_state(received.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let config = format!(
        "[server.hooks.chat]\nurl = \"http://127.0.0.1:{port}/hook\"\nsecret = \"chat\"\nevents = [\"digest\"]\n"
    );
    let service = service(folder.path(), &config).await;
    service
        .hook("chat", "hook/chat/1", "{\"a\":1}")
        .await
        .unwrap();
    let again = service
        .hook("chat", "hook/chat/1", "{\"a\":1}")
        .await
        .unwrap_err();
    assert!(!again.for_good, "{again:?}");
    let gone = service
        .hook("chat", "hook/chat/1", "{\"a\":1}")
        .await
        .unwrap_err();
    assert!(gone.for_good, "{gone:?}");
    let received = received.0.lock().unwrap();
    let (headers, body) = &received[0];
    let shown = headers["tieout-signature"].to_str().unwrap();
    let seconds: i64 = shown["t=".len()..]
        .split(',')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(shown, signature(b"hush", seconds, body.as_bytes()));
    assert_eq!(headers["tieout-delivery"], received[1].0["tieout-delivery"]);
    assert_eq!(headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_called() {
    let found = tieout_kit::transport::Network::within(|_| false).unwrap();
    let (listener, port) = listener().await;
    let called = tokio::spawn(async move { listener.accept().await });
    let request = http::Request::post(format!("http://localhost:{port}/"))
        .body(bytes::Bytes::new())
        .unwrap();
    let lost =
        tieout_kit::Transport::send(&found, request, std::time::Duration::from_secs(5)).await;
    assert!(
        matches!(lost, Err(tieout_domain::Lost::NeverLeft(_))),
        "{lost:?}"
    );
    assert!(!called.is_finished());
}
