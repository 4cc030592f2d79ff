//! What can be checked of `config/production` without systemd and Docker: the files name each other and
//! the program as they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::Command,
};

use langnghe_tests::{
    Installation,
    program::{program, root},
};

fn folder() -> PathBuf {
    root().join("config/production")
}

fn read(name: &str) -> String {
    let path = folder().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `KEY=value` lines; comments and empty lines are left out.
fn pairs(text: &str) -> Vec<(&str, &str)> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).collect()
}

#[test]
fn the_configuration_is_good_with_the_environment_of_the_sample() {
    let text = read("langnghe.toml").replace(
        "/usr/share/langnghe",
        root().to_str().expect("a plain path"),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("langnghe.toml");
    std::fs::write(&config, text).expect("written");
    let sample = read("langnghe.env.sample");
    let mut environment: BTreeMap<_, _> = pairs(&sample).into_iter().collect();
    assert!(environment.contains_key("HOST"));
    environment.insert("IOC_SECRET", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    let output = Command::new(program())
        .arg("check")
        .arg("--config")
        .arg(&config)
        .env_clear()
        .envs(environment)
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.ends_with(": good\n"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_sample_of_the_environment_has_every_secret_and_none() {
    let sample = read("langnghe.env.sample");
    let known: BTreeSet<_> = pairs(&sample).iter().map(|(name, _)| *name).collect();
    for file in ["langnghe.toml", "compose.yaml", "Caddyfile"] {
        let text = read(file);
        let names = text
            .split("\"env:")
            .skip(1)
            .chain(text.split("$$").skip(1))
            .chain(text.split("{$").skip(1));
        for name in names {
            let end =
                name.find(|character: char| !(character.is_ascii_uppercase() || character == '_'));
            let name = &name[..end.unwrap_or(name.len())];
            assert!(known.contains(name), "{file} wants {name}");
        }
    }
    for (name, value) in pairs(&sample) {
        let empty = value.is_empty() || value.contains("PASSWORD") || value.contains("example");
        assert!(empty, "{name} has a value");
    }
}

#[test]
fn compose_and_dockerfile_name_files_that_are_there() {
    let compose = read("compose.yaml");
    let mut seen = 0;
    for line in compose.lines().map(str::trim) {
        let mounted = line
            .strip_prefix("- ./")
            .and_then(|rest| rest.split(':').next());
        if let Some(file) = mounted {
            assert!(folder().join(file).is_file(), "{file}");
            seen += 1;
        }
        if let Some(file) = line.strip_prefix("dockerfile: ") {
            assert!(root().join(file).is_file(), "{file}");
            seen += 1;
        }
        if let Some(file) = line.strip_prefix("env_file: ") {
            assert!(folder().join(format!("{file}.sample")).is_file(), "{file}");
            seen += 1;
        }
    }
    assert_eq!(seen, 7, "what is looked for is found");
    // The proxy asks the replicas that there are, where they listen.
    let proxy = read("Caddyfile");
    let config = read("langnghe.toml");
    for replica in ["langnghe-1", "langnghe-2"] {
        assert!(compose.contains(&format!("  {replica}: *replica")));
        assert!(proxy.contains(&format!("{replica}:8080")));
    }
    assert!(config.contains("listen = \"0.0.0.0:8080\""));
    let dockerfile = read("Dockerfile");
    for line in dockerfile
        .lines()
        .filter(|line| line.starts_with("COPY ") && !line.contains("--from"))
    {
        let source = line.split(' ').nth(1).expect("a source");
        assert!(root().join(source).exists(), "{source}");
    }
    let user = dockerfile
        .lines()
        .find_map(|line| line.strip_prefix("USER "))
        .expect("a user");
    assert!(!user.starts_with('0') && !user.contains("root"), "{user}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_ready_while_it_runs() {
    let mut installation = Installation::new();
    installation
        .webchat("web")
        .backend("ioc", "http://127.0.0.1:9/");
    let config = installation.write();
    let ask = || {
        let asked = installation
            .command()
            .arg("ready")
            .arg("--config")
            .arg(&config)
            .output();
        let asked = asked.expect("the program runs");
        let said = String::from_utf8_lossy(&asked.stderr).into_owned();
        (asked.status.code(), said)
    };
    let (code, said) = ask();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("nothing answers"), "{said}");
    let mut replica = installation.start().await;
    assert_eq!(ask(), (Some(0), String::new()));
    replica.kill();
    assert_eq!(ask().0, Some(1));
}

#[test]
fn the_unit_has_known_keys_and_starts_the_program() {
    // Of systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.kill(5), systemd 252.
    let known = "Description After Wants Type ExecStart ExecReload EnvironmentFile Restart RestartSec \
        TimeoutStopSec LimitNOFILE DynamicUser StateDirectory StateDirectoryMode ConfigurationDirectory UMask \
        NoNewPrivileges CapabilityBoundingSet AmbientCapabilities ProtectSystem ProtectHome PrivateTmp \
        PrivateDevices PrivateUsers PrivateIPC DevicePolicy ProtectKernelTunables ProtectKernelModules \
        ProtectKernelLogs ProtectControlGroups ProtectClock ProtectHostname ProtectProc ProcSubset \
        RestrictAddressFamilies RestrictNamespaces RestrictRealtime RestrictSUIDSGID LockPersonality \
        MemoryDenyWriteExecute RemoveIPC SystemCallArchitectures SystemCallFilter SystemCallErrorNumber WantedBy";
    let known: BTreeSet<_> = known.split_whitespace().collect();
    let unit = read("langnghe.service");
    for (key, _) in pairs(&unit) {
        assert!(known.contains(key), "{key}");
    }
    let value = |wanted: &str| {
        pairs(&unit)
            .into_iter()
            .find(|(key, _)| *key == wanted)
            .map(|(_, value)| value)
    };
    let start = value("ExecStart").expect("a program");
    let arguments: Vec<_> = start.split(' ').skip(1).collect();
    assert_eq!(
        arguments,
        ["serve", "--config", "/etc/langnghe/langnghe.toml"]
    );
    // Its data lie where the unit lets it write.
    assert_eq!(value("StateDirectory"), Some("langnghe"));
    assert!(read("langnghe.toml").contains("path = \"/var/lib/langnghe/media\""));
}
