//! A folder with a configuration, flows and data, as an agency would have it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
};

use tempfile::TempDir;

use crate::{
    port,
    program::{program, root},
    replica::Replica,
    smsc,
};

/// What signs the webhooks of the channels made by [`Installation::messenger`].
pub const APP_SECRET: &str = "app-secret-0b5f27c3d1";
/// What the Graph API wants to see.
pub const ACCESS_TOKEN: &str = "EAAG-access-token-77aa12";
/// What Facebook repeats at verification.
pub const VERIFY_TOKEN: &str = "verify-token-9c31";
/// What signs deliveries to the backends made by [`Installation::backend`].
pub const BACKEND_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A folder with a configuration, flows and data; outlives the replicas that run in it.
#[derive(Debug)]
pub struct Installation {
    folder: TempDir,
    port: u16,
    config: toml::Table,
    environment: BTreeMap<String, String>,
    /// Shell commands that run before the program, in its process.
    before: Option<String>,
    private: Arc<Mutex<BTreeSet<String>>>,
}

impl Default for Installation {
    fn default() -> Self {
        Self::new()
    }
}

impl Installation {
    /// A new one on a free port, with the repository's flows and locales and no channel yet.
    pub fn new() -> Self {
        Self::in_folder(TempDir::with_prefix("langnghe-test-").expect("a temporary folder"))
    }

    /// The same in a folder that the test chose.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn in_folder(folder: TempDir) -> Self {
        let port = port::free();
        let mut installation = Self {
            folder,
            port,
            config: toml::Table::new(),
            environment: BTreeMap::new(),
            before: None,
            private: Arc::default(),
        };
        installation.listen();
        installation.set("store.url", "sqlite:data/langnghe.db");
        installation.set("flows.path", root().join("flows").display().to_string());
        installation.set("locales.path", root().join("locales").display().to_string());
        installation.set("log.format", "json");
        for secret in [APP_SECRET, ACCESS_TOKEN, VERIFY_TOKEN, BACKEND_SECRET] {
            installation.private(secret);
        }
        installation
    }

    /// A second one for one more replica: a folder and a port of its own, everything else as it is here
    /// now. What is private for one is private for both.
    ///
    /// # Panics
    /// When there is no free port or no temporary folder.
    #[must_use]
    pub fn twin(&self) -> Self {
        let folder = TempDir::with_prefix("langnghe-test-").expect("a temporary folder");
        let mut twin = Self {
            folder,
            port: port::free(),
            config: self.config.clone(),
            environment: self.environment.clone(),
            before: self.before.clone(),
            private: Arc::clone(&self.private),
        };
        // These may be in our own folder.
        for path in ["flows", "locales"] {
            let folder = self.config[path]["path"].as_str().expect("a path");
            let folder = self.path(folder).display().to_string();
            twin.set(&format!("{path}.path"), folder);
        }
        twin.listen();
        twin
    }

    fn listen(&mut self) {
        let listen = format!("127.0.0.1:{}", self.port);
        self.set("server.public_url", format!("http://{listen}"))
            .set("server.listen", listen);
    }

    /// Sets one key of the configuration, named by its path (`limits.inbox`).
    ///
    /// # Panics
    /// When the path leads through something that is no section.
    pub fn set(&mut self, path: &str, value: impl Into<toml::Value>) -> &mut Self {
        let mut table = &mut self.config;
        let mut names = path.split('.').peekable();
        while let Some(name) = names.next() {
            if names.peek().is_none() {
                table.insert(name.to_owned(), value.into());
                break;
            }
            let section = table
                .entry(name)
                .or_insert_with(|| toml::Table::new().into());
            table = section.as_table_mut().expect("a section");
        }
        self
    }

    /// Adds a Messenger channel whose Graph API lies at `api_base`. It keeps no quota unless the test
    /// sets one (`quotas`, `replies_per_second`).
    pub fn messenger(&mut self, id: &str, api_base: &str) -> &mut Self {
        self.environment("PAGE_APP_SECRET", APP_SECRET);
        self.environment("PAGE_VERIFY_TOKEN", VERIFY_TOKEN);
        self.environment("PAGE_ACCESS_TOKEN", ACCESS_TOKEN);
        self.add(
            "channel",
            toml::toml! {
                kind = "messenger"
                app_secret = "env:PAGE_APP_SECRET"
                verify_token = "env:PAGE_VERIFY_TOKEN"
                access_token = "env:PAGE_ACCESS_TOKEN"
                allow_private = true
                profile = false
                quotas = "off"
            },
            &[("id", id), ("api_base", api_base)],
        )
    }

    /// Adds a number on WhatsApp whose Graph API lies at `api_base`.
    pub fn whatsapp(&mut self, id: &str, number: &str, api_base: &str) -> &mut Self {
        self.environment("WA_APP_SECRET", APP_SECRET);
        self.environment("WA_VERIFY_TOKEN", VERIFY_TOKEN);
        self.environment("WA_ACCESS_TOKEN", ACCESS_TOKEN);
        self.add(
            "channel",
            toml::toml! {
                kind = "whatsapp"
                app_secret = "env:WA_APP_SECRET"
                verify_token = "env:WA_VERIFY_TOKEN"
                access_token = "env:WA_ACCESS_TOKEN"
                allow_private = true
            },
            &[
                ("id", id),
                ("phone_number_id", number),
                ("api_base", api_base),
            ],
        )
    }

    /// Adds an SMS channel at a message centre that listens on this port of the loopback.
    pub fn smpp(&mut self, id: &str, port: u16) -> &mut Self {
        self.environment("SMSC_PASSWORD", smsc::PASSWORD);
        self.private(smsc::PASSWORD);
        self.add(
            "channel",
            toml::toml! {
                kind = "sms"
                provider = "smpp"
                host = "127.0.0.1"
                password = "env:SMSC_PASSWORD"
                sender = "8088"
                encoding = "unicode"
                parts_per_second = 1000
                response_timeout = "5s"
            },
            &[("id", id), ("system_id", smsc::SYSTEM_ID)],
        )
        .set_of("channel", id, "port", i64::from(port))
    }

    /// Adds the web chat.
    pub fn webchat(&mut self, id: &str) -> &mut Self {
        self.add("channel", toml::toml! { kind = "webchat" }, &[("id", id)])
    }

    /// Adds a channel of SMS whose `SpeedSMS` lies at `api_base`.
    pub fn speedsms(&mut self, id: &str, api_base: &str) -> &mut Self {
        self.environment("SPEEDSMS_TOKEN", crate::speedsms::TOKEN);
        self.environment("SPEEDSMS_WEBHOOK", "speedsms-webhook-0a7c53e1b2");
        self.add(
            "channel",
            toml::toml! {
                kind = "sms"
                provider = "speedsms"
                access_token = "env:SPEEDSMS_TOKEN"
                webhook_token = "env:SPEEDSMS_WEBHOOK"
                sender = "CANTHO"
                allow_private = true
            },
            &[("id", id), ("api_base", api_base)],
        )
    }

    /// Adds a backend that takes tickets at `url`.
    pub fn backend(&mut self, id: &str, url: &str) -> &mut Self {
        self.environment("BACKEND_SECRET", BACKEND_SECRET);
        self.add(
            "backend",
            toml::toml! {
                kind = "webhook"
                secret = "env:BACKEND_SECRET"
                allow_private = true
            },
            &[("id", id), ("url", url)],
        )
    }

    /// Adds a channel of any kind: what its section says, and texts that are only known now.
    pub fn channel(&mut self, id: &str, section: toml::Table, texts: &[(&str, &str)]) -> &mut Self {
        let texts: Vec<(&str, &str)> = [("id", id)].iter().chain(texts).copied().collect();
        self.add("channel", section, &texts)
    }

    fn add(&mut self, list: &str, mut table: toml::Table, texts: &[(&str, &str)]) -> &mut Self {
        for (key, text) in texts {
            table.insert((*key).to_owned(), (*text).into());
        }
        let entries = self
            .config
            .entry(list)
            .or_insert_with(|| toml::Value::Array(Vec::new()));
        entries.as_array_mut().expect("a list").push(table.into());
        self
    }

    /// Adds a channel as it stands in the file.
    pub fn add_channel(&mut self, channel: toml::Table) -> &mut Self {
        self.add("channel", channel, &[])
    }

    /// Sets one key of the channel or backend (`list`) that has this id.
    ///
    /// # Panics
    /// When there is none.
    pub fn set_of(
        &mut self,
        list: &str,
        id: &str,
        key: &str,
        value: impl Into<toml::Value>,
    ) -> &mut Self {
        let entries = self.config[list].as_array_mut().expect("a list");
        let entry = entries
            .iter_mut()
            .find(|entry| entry["id"].as_str() == Some(id));
        let table = entry
            .and_then(toml::Value::as_table_mut)
            .expect("an entry of that id");
        table.insert(key.to_owned(), value.into());
        self
    }

    /// Sets a variable in the environment of the program.
    pub fn environment(&mut self, name: &str, value: &str) -> &mut Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Removes a variable from the environment of the program.
    pub fn forget(&mut self, name: &str) -> &mut Self {
        self.environment.remove(name);
        self
    }

    /// Replaces the repository's flows by these, given as file names and texts; they have no
    /// translations.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn flows(&mut self, flows: &[(&str, &str)]) -> &mut Self {
        let folder = self.path("flows");
        fs::create_dir_all(&folder).expect("a folder for flows");
        for (name, text) in flows {
            fs::write(folder.join(name), text).expect("a flow file");
        }
        let words = "locales/vi/system.ftl";
        fs::create_dir_all(self.path("locales/vi")).expect("a folder for locales");
        fs::copy(root().join(words), self.path(words)).expect("the program's own words");
        self.set("flows.path", "flows")
            .set("locales.path", "locales")
    }

    /// Registers something that a citizen wrote or that is secret: it must be in no log line and in
    /// no metric (guarantee 9).
    ///
    /// # Panics
    /// When the lock is poisoned.
    pub fn private(&self, words: &str) {
        self.private
            .lock()
            .expect("not poisoned")
            .insert(words.to_owned());
    }

    /// Which registered private words are in a text.
    ///
    /// # Panics
    /// When the lock is poisoned.
    pub fn leaks(&self, text: &str) -> Vec<String> {
        let private = self.private.lock().expect("not poisoned");
        let escaped = |words: &str| {
            let json = serde_json::Value::from(words).to_string();
            json.trim_matches('"').to_owned()
        };
        let in_text = |words: &&String| text.contains(*words) || text.contains(&escaped(words));
        private.iter().filter(in_text).cloned().collect()
    }

    /// A path in the folder.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The port that replicas listen on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a path on the replica.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Writes the configuration and gives back where it lies.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self) -> PathBuf {
        let path = self.path("langnghe.toml");
        let text = toml::to_string(&self.config).expect("a table is TOML");
        fs::write(&path, text).expect("the configuration is written");
        path
    }

    /// Lets a shell do this before it becomes the program (`ulimit -f 800`); `None` does without.
    pub fn before(&mut self, script: Option<&str>) -> &mut Self {
        self.before = script.map(str::to_owned);
        self
    }

    /// The program with the environment of this installation and nothing else.
    pub fn command(&self) -> Command {
        let mut command = match &self.before {
            None => Command::new(program()),
            Some(script) => {
                let mut shell = Command::new("/bin/sh");
                shell
                    .arg("-c")
                    .arg(format!("{script}; exec \"$0\" \"$@\""))
                    .arg(program());
                shell
            }
        };
        command
            .env_clear()
            .envs(&self.environment)
            .current_dir(self.folder.path());
        command.stdin(Stdio::null());
        command
    }

    /// Runs one of the program's commands with this configuration, to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let config = self.write();
        let mut command = self.command();
        command.args(arguments).arg("--config").arg(config);
        command.output().expect("the program starts")
    }

    /// Starts a replica and waits until it is ready.
    pub async fn start(&self) -> Replica<'_> {
        Replica::start(self).await
    }

    /// Everything that replicas wrote so far.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Where replicas write.
    pub fn log_path(&self) -> PathBuf {
        self.path("replica.log")
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.path("data/langnghe.db")
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}
