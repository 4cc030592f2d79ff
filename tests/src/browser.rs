//! A real browser, driven over WebDriver: headless Chromium with an empty profile.

use std::{
    io::{BufRead, BufReader},
    panic::AssertUnwindSafe,
    process::{Child, Command, Stdio},
    time::Duration,
};

use futures_util::FutureExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{By, ChromiumLikeCapabilities, DesiredCapabilities, Key, WebDriver};

use crate::wait;

/// The longest that the browser may take for what it does at once.
pub const SOON: Duration = Duration::from_secs(20);

/// How to get one.
const INSTALL: &str =
    "the browser tests need Chromium and its driver: apt-get install chromium chromium-driver";

/// Collects what a page did wrong, from before its first script.
const WATCH: &str = r"
    globalThis.problems = [];
    const problem = (text) => problems.push(String(text));
    addEventListener('securitypolicyviolation', (event) =>
        problem(`policy: ${event.violatedDirective} ${event.blockedURI}`));
    addEventListener('error', (event) => problem(`error: ${event.message}`));
    addEventListener('unhandledrejection', (event) => problem(`rejection: ${event.reason}`));
    for (const level of ['error', 'warn']) {
        const said = console[level];
        console[level] = (...words) => { problem(`${level}: ${words.join(' ')}`); said(...words); };
    }";

/// How large the window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// 390 × 844, with touch.
    Phone,
    /// 1280 × 800.
    Desktop,
}

/// One browser with one window.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
}

impl Browser {
    /// Runs a test in a browser of its own, which is ended afterwards, whatever became of the test.
    ///
    /// # Panics
    /// When there is no browser, and when the test does.
    pub async fn with(window: Window, test: impl AsyncFnOnce(&Self)) {
        let driver_process = DriverProcess::start();
        let profile = TempDir::with_prefix("langnghe-browser-").expect("a temporary folder");
        let browser = Self::open(&driver_process, &profile, window).await;
        let result = AssertUnwindSafe(test(&browser)).catch_unwind().await;
        if result.is_err() {
            eprintln!("the page at the end:\n{}", browser.words().await);
            eprintln!("its problems: {:?}", browser.problems().await);
        }
        // Ends Chromium itself; the driver's process ends with its handle.
        let quit = tokio::time::timeout(SOON, browser.driver.quit()).await;
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
        quit.expect("the browser ends in time")
            .expect("the browser ends");
    }

    async fn open(process: &DriverProcess, profile: &TempDir, window: Window) -> Self {
        // The driver's client is made by reqwest, which asks for a choice even without TLS.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--window-size=1280,800",
            // A microphone that beeps, and a citizen who lets the page use it.
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            &format!("--user-data-dir={}", profile.path().display()),
        ] {
            capabilities.add_arg(argument).expect("an argument");
        }
        if window == Window::Phone {
            let metrics = json!({ "width": 390, "height": 844, "pixelRatio": 2, "touch": true });
            let phone = json!({ "deviceMetrics": metrics });
            capabilities
                .add_experimental_option("mobileEmulation", phone)
                .expect("an option");
        }
        let opened = WebDriver::new(format!("http://127.0.0.1:{}", process.port), capabilities);
        let opened = tokio::time::timeout(Duration::from_mins(1), opened).await;
        let driver = opened.expect("Chromium starts in time").expect(INSTALL);
        let browser = Self { driver };
        browser
            .tell(
                "Page.addScriptToEvaluateOnNewDocument",
                json!({ "source": WATCH }),
            )
            .await;
        browser
    }

    /// Gives a command of the DevTools protocol.
    pub async fn tell(&self, command: &str, arguments: Value) -> Value {
        self.driver
            .cdp()
            .send_raw(command, arguments)
            .await
            .expect("the browser obeys")
    }

    /// Says where the device is, and that pages may know it.
    pub async fn stand_at(&self, latitude: f64, longitude: f64) {
        self.tell(
            "Browser.grantPermissions",
            json!({ "permissions": ["geolocation"] }),
        )
        .await;
        let place = json!({ "latitude": latitude, "longitude": longitude, "accuracy": 10 });
        self.tell("Emulation.setGeolocationOverride", place).await;
    }

    /// Forbids pages to know where the device is.
    pub async fn hide_place(&self) {
        let denied = json!({ "permission": { "name": "geolocation" }, "setting": "denied" });
        self.tell("Browser.setPermission", denied).await;
    }

    /// Opens an address.
    pub async fn open_page(&self, address: &str) {
        self.driver.goto(address).await.expect("the page opens");
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.driver.refresh().await.expect("the page opens again");
    }

    /// Runs a script, which gives something with `return`.
    pub async fn run(&self, script: &str) -> Value {
        let result = self
            .driver
            .execute(script, Vec::new())
            .await
            .expect("the script runs");
        result.json().clone()
    }

    /// Runs a script that gives its result to the function `done`.
    pub async fn run_async(&self, script: &str) -> Value {
        let script = format!("const done = arguments[arguments.length - 1]; {script}");
        let result = self
            .driver
            .execute_async(script, Vec::new())
            .await
            .expect("it runs");
        result.json().clone()
    }

    /// Waits until an expression is true in the page.
    pub async fn until(&self, what: &str, expression: &str) {
        let script = format!("return Boolean({expression})");
        wait::until(what, SOON, async || self.run(&script).await == true).await;
    }

    /// Clicks what a selector finds first.
    pub async fn click(&self, selector: &str) {
        let element = self
            .driver
            .find(By::Css(selector))
            .await
            .expect("it is there");
        element.click().await.expect("it can be clicked");
    }

    /// Types into what a selector finds, or picks a file there by its path.
    pub async fn type_into(&self, selector: &str, text: &str) {
        let element = self
            .driver
            .find(By::Css(selector))
            .await
            .expect("it is there");
        element.send_keys(text).await.expect("it takes keys");
    }

    /// Presses keys wherever the focus is.
    pub async fn press(&self, keys: &str) {
        self.driver
            .action_chain()
            .send_keys(keys)
            .perform()
            .await
            .expect("keys are pressed");
    }

    /// Presses Tab until the focus is on what a selector finds.
    ///
    /// # Panics
    /// When a hundred presses do not reach it.
    pub async fn tab_to(&self, selector: &str) {
        let there = format!("return document.activeElement.matches({})", json!(selector));
        for _ in 0..100 {
            if self.run(&there).await == true {
                return;
            }
            self.press(&char::from(Key::Tab).to_string()).await;
        }
        panic!("{selector} cannot be reached with the Tab key");
    }

    /// Opens another tab and goes there.
    pub async fn open_tab(&self) {
        let tab = self.driver.new_tab().await.expect("another tab");
        self.driver
            .switch_to_window(tab)
            .await
            .expect("the tab is there");
        self.tell(
            "Page.addScriptToEvaluateOnNewDocument",
            json!({ "source": WATCH }),
        )
        .await;
    }

    /// Goes to a tab, counted from zero.
    pub async fn show_tab(&self, number: usize) {
        let tabs = self.driver.windows().await.expect("the tabs");
        let tab = tabs.into_iter().nth(number).expect("so many tabs");
        self.driver
            .switch_to_window(tab)
            .await
            .expect("the tab is there");
    }

    /// Goes into the page's frame.
    pub async fn enter_frame(&self) {
        let frame = self.driver.find(By::Css("iframe")).await.expect("a frame");
        frame.enter_frame().await.expect("the frame is there");
    }

    /// Goes back out of it.
    pub async fn leave_frame(&self) {
        self.driver
            .enter_default_frame()
            .await
            .expect("the page is there");
    }

    /// All words of the page.
    pub async fn words(&self) -> String {
        let words = self.run("return document.body.innerText").await;
        words.as_str().unwrap_or_default().to_owned()
    }

    /// What the page did wrong since it was loaded: errors, warnings, broken content policy.
    pub async fn problems(&self) -> Vec<String> {
        serde_json::from_value(self.run("return problems").await).expect("a list of texts")
    }

    /// A picture of the window, for a person who looks at how it became so.
    pub async fn picture(&self) -> Vec<u8> {
        self.driver.screenshot_as_png().await.expect("a picture")
    }
}

/// The driver, on a port that it chose.
#[derive(Debug)]
struct DriverProcess {
    child: Child,
    port: u16,
}

impl DriverProcess {
    fn start() -> Self {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect(INSTALL);
        let output = BufReader::new(child.stdout.take().expect("its output is piped"));
        // "ChromeDriver was started successfully on port 43545."; the output ends if it fails.
        let port = output.lines().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        Self {
            child,
            port: port.expect("the driver names its port"),
        }
    }
}

impl Drop for DriverProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
