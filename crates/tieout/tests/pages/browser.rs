//! A browser, driven over WebDriver (W3C): the few calls that the tests need, as plain JSON over HTTP.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tieout_kit::transport::{Network, Transport as _};

/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How often a driver that starts is asked, every tenth of a second.
const TRIES: u32 = 300;

/// Marks a page that is about to be left.
const MARK: &str = "window.left = true";

/// So often, and so long between, it is looked whether a page has come.
const LOOKS: u32 = 600;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// A browser with one window. Ends with its driver when it is dropped.
pub(crate) struct Browser {
    driver: Child,
    network: Network,
    session: String,
    // Dropped last: the browser's own files.
    _profile: TempDir,
}

/// Where the programs are, or the word of why there are none.
fn programs() -> Result<(PathBuf, PathBuf), String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let find = |names: &[&str]| {
        names.iter().find_map(|name| {
            std::env::split_paths(&path)
                .map(|folder| folder.join(name))
                .find(|program| program.exists())
        })
    };
    let browser = find(&["chromium", "chromium-browser", "google-chrome"]);
    let driver = find(&["chromedriver"]);
    match (browser, driver) {
        (Some(browser), Some(driver)) => Ok((browser, driver)),
        (None, _) => Err("no Chromium is installed".to_owned()),
        (_, None) => Err("no chromedriver is installed".to_owned()),
    }
}

impl Browser {
    /// Starts one; `None`, and a word about it, where none is installed.
    pub(crate) async fn start() -> Option<Self> {
        let (browser, driver) = match programs() {
            Ok(found) => found,
            Err(why) => {
                println!("skipped: {why}");
                return None;
            }
        };
        let profile = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let process = Command::new(driver)
            .arg(format!("--port={port}"))
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut this = Self {
            driver: process,
            network: Network::new().unwrap(),
            session: format!("http://127.0.0.1:{port}"),
            _profile: profile,
        };
        this.open(&browser).await;
        Some(this)
    }

    async fn open(&mut self, browser: &Path) {
        for _ in 0..TRIES {
            if self
                .call(http::Method::GET, "/status", Value::Null)
                .await
                .is_ok()
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let profile = self._profile.path().join("profile");
        let arguments = [
            "--headless=new".to_owned(),
            // The tests may run as root, in a container: there is no sandbox for the browser in there.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--hide-scrollbars".to_owned(),
            format!("--user-data-dir={}", profile.display()),
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": browser, "args": arguments},
        }}});
        let made = self
            .call(http::Method::POST, "/session", wanted)
            .await
            .unwrap();
        let id = made["sessionId"].as_str().unwrap().to_owned();
        self.session = format!("{}/session/{id}", self.session);
    }

    async fn call(&self, method: http::Method, path: &str, body: Value) -> Result<Value, String> {
        let body = if method == http::Method::POST {
            body.to_string()
        } else {
            String::new()
        };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.session))
            .header("content-type", "application/json")
            .body(body.into())
            .unwrap();
        let answer = self
            .network
            .send(request, Duration::from_secs(120))
            .await
            .map_err(|lost| lost.to_string())?;
        let body: Value =
            serde_json::from_slice(answer.body()).map_err(|error| error.to_string())?;
        if answer.status().is_success() {
            Ok(body["value"].clone())
        } else {
            Err(body["value"].to_string())
        }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        match self.call(http::Method::POST, path, body.clone()).await {
            Ok(value) => value,
            Err(error) => panic!("{path} {body}: {error}"),
        }
    }

    /// A command of the browser's own: its size as a phone's, its colours, a screenshot of a whole page.
    async fn command(&self, name: &str, parameters: Value) -> Value {
        self.post(
            "/goog/cdp/execute",
            json!({"cmd": name, "params": parameters}),
        )
        .await
    }

    /// Goes to an address and waits until the page is there.
    pub(crate) async fn go(&self, address: &str) {
        self.post("/url", json!({"url": address})).await;
    }

    /// The address that it is at.
    pub(crate) async fn address(&self) -> String {
        let address = self
            .call(http::Method::GET, "/url", Value::Null)
            .await
            .unwrap();
        address.as_str().unwrap().to_owned()
    }

    /// Runs the body of a function in the page and gives what it returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({"script": script, "args": []}))
            .await
    }

    /// The same for a function whose promise is waited for.
    pub(crate) async fn run_promise(&self, promise: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1]; ({promise}).then(done, error => done(String(error)));"
        );
        self.post("/execute/async", json!({"script": script, "args": []}))
            .await
    }

    /// What a person reads on the page.
    pub(crate) async fn text(&self) -> String {
        self.run("return document.body.innerText")
            .await
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn element(&self, selector: &str) -> String {
        let found = self
            .post(
                "/element",
                json!({"using": "css selector", "value": selector}),
            )
            .await;
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// Presses what a selector names, as a person with a mouse does. Where that leads to another page, waits until the
    /// page is there.
    pub(crate) async fn press(&self, selector: &str) {
        let element = self.element(selector).await;
        let leads_away = self
            .run(&format!(
                "const it = document.querySelector({selector:?}); \
                 return it.closest('a[href]') !== null || (it.closest('form') !== null && it.type === 'submit');"
            ))
            .await;
        if leads_away == json!(true) {
            self.run(MARK).await;
        }
        self.post(&format!("/element/{element}/click"), json!({}))
            .await;
        if leads_away == json!(true) {
            self.arrive().await;
        }
    }

    /// Runs what sends a form or goes elsewhere, and waits until the next page is there.
    pub(crate) async fn run_away(&self, script: &str) {
        self.run(&format!("{MARK}; {script}")).await;
        self.arrive().await;
    }

    /// Waits until the page that was marked is gone and the next one is whole.
    async fn arrive(&self) {
        for _ in 0..LOOKS {
            let there = self
                .run("return window.left === undefined && document.readyState === 'complete'")
                .await;
            if there == json!(true) {
                return;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        panic!("no other page has come: {}", self.text().await);
    }

    /// Waits where it is until the page says this.
    pub(crate) async fn until(&self, said: &str) {
        for _ in 0..LOOKS {
            if self.text().await.contains(said) {
                return;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        panic!("{said} is not in {}", self.text().await);
    }

    /// Types into what a selector names.
    pub(crate) async fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.post(&format!("/element/{element}/clear"), json!({}))
            .await;
        self.post(&format!("/element/{element}/value"), json!({"text": text}))
            .await;
    }

    /// Puts a text into a field at once: one of many lines, or a long one.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let text = json!(text);
        self.run(&format!(
            "document.querySelector({selector:?}).value = {text}"
        ))
        .await;
    }

    /// Makes the window so wide, and the colours so.
    pub(crate) async fn look(&self, width: u32, dark: bool) {
        let phone = width < 600;
        self.command(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": phone}),
        )
        .await;
        let scheme = if dark { "dark" } else { "light" };
        self.command(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        )
        .await;
    }

    /// Shows the page as it would be on paper that leaves so many pixels between its margins.
    pub(crate) async fn on_paper(&self, width: u32) {
        self.command(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": false}),
        )
        .await;
        self.command("Emulation.setEmulatedMedia", json!({"media": "print"}))
            .await;
    }

    /// Puts the screen back in the place of the paper.
    pub(crate) async fn on_screen(&self) {
        self.command("Emulation.setEmulatedMedia", json!({"media": ""}))
            .await;
    }

    /// The page as a PDF, as the browser prints it.
    pub(crate) async fn printed(&self) -> Vec<u8> {
        use base64::Engine as _;
        let parameters = json!({"preferCSSPageSize": true, "printBackground": false});
        let printed = self.command("Page.printToPDF", parameters).await;
        base64::engine::general_purpose::STANDARD
            .decode(printed["data"].as_str().unwrap())
            .unwrap()
    }

    /// The whole page as a PNG.
    pub(crate) async fn screenshot(&self) -> Vec<u8> {
        use base64::Engine as _;
        let shot = self
            .command(
                "Page.captureScreenshot",
                json!({"captureBeyondViewport": true}),
            )
            .await;
        base64::engine::general_purpose::STANDARD
            .decode(shot["data"].as_str().unwrap())
            .unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver takes its browser along when it is told to stop, and not when it is killed.
        let asked = Command::new("kill")
            .args(["-TERM", &self.driver.id().to_string()])
            .status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.driver.kill();
        }
        let _ = self.driver.wait();
    }
}
