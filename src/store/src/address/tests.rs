use super::*;

fn redis(text: &str) -> RedisAddress {
    match StoreAddress::parse(text) {
        Ok(StoreAddress::Redis(address)) => address,
        other => panic!("{text}: {other:?}"),
    }
}

fn node(host: &str, port: u16) -> Node {
    Node {
        host: host.to_owned(),
        port,
    }
}

#[test]
fn every_form_is_read() {
    assert_eq!(
        StoreAddress::parse("sqlite:data/a.db"),
        Ok(StoreAddress::Sqlite("data/a.db".into()))
    );
    assert_eq!(
        StoreAddress::parse("sqlite:///srv/a.db"),
        Ok(StoreAddress::Sqlite("/srv/a.db".into()))
    );
    let plain = redis("redis://cache");
    assert_eq!(
        (plain.servers, plain.tls, plain.database),
        (RedisServers::One(node("cache", 6379)), false, 0)
    );
    let full = redis("rediss://ln:p%40s%3As@[::1]:7000/3");
    assert_eq!(full.servers, RedisServers::One(node("::1", 7000)));
    assert_eq!((full.tls, full.database), (true, 3));
    assert_eq!(
        (full.user.as_deref(), full.password.as_deref()),
        (Some("ln"), Some("p@s:s"))
    );
    let nameless = redis("redis://:secret@a:1");
    assert_eq!(
        (nameless.user, nameless.password.as_deref()),
        (None, Some("secret"))
    );
    let socket = redis("redis+unix:///run/redis/r.sock?db=2");
    assert_eq!(
        (socket.servers, socket.database),
        (RedisServers::Socket("/run/redis/r.sock".into()), 2)
    );
    let cluster = redis("rediss+cluster://a:1,b,c:3");
    assert_eq!(
        cluster.servers,
        RedisServers::Cluster(vec![node("a", 1), node("b", 6379), node("c", 3)])
    );
    let sentinel = redis("redis+sentinel://u:p@a,b:2/mymaster/1");
    assert_eq!(
        sentinel.servers,
        RedisServers::Sentinel {
            sentinels: vec![node("a", 26_379), node("b", 2)],
            master: "mymaster".to_owned()
        }
    );
    assert_eq!(sentinel.database, 1);
}

#[test]
fn what_is_wrong_is_pointed_at() {
    for (text, wrong) in [
        ("data.db", "data.db"),
        ("sqlite:", "sqlite:"),
        ("sqlite::memory:", ":memory:"),
        ("mysql://a", "mysql"),
        ("valkey://a", "valkey"),
        ("redis:a", "redis:"),
        ("redis://", "redis://"),
        ("redis://:6379", ":6379"),
        ("redis://a:port", "port"),
        ("redis://a:", ":"),
        ("redis://a:0", "0"),
        ("redis://a:70000/1", "70000"),
        ("redis://a/one", "one"),
        ("redis://a?db=1", "?db=1"),
        ("redis://a,b", "a,b"),
        ("redis+cluster://a,,b", "redis+cluster://a,,b"),
        ("redis+cluster://a/1", "1"),
        ("redis+sentinel://a:1", "a:1"),
        ("redis+sentinel://a:1/", "a:1/"),
        ("redis+unix://a/b.sock", "a"),
        ("redis+unix:///", "redis+unix:///"),
        ("redis://u:p%4@a", "p%4"),
        ("redis://u:p/q@a", "u:p/q"),
    ] {
        let error = StoreAddress::parse(text).expect_err(text);
        assert_eq!(&text[error.place.clone()], wrong, "{text}: {error:?}");
        assert!(!error.help.is_empty());
    }
}

#[test]
fn a_password_is_never_shown() {
    let address = redis("redis://ln:hunter2@a:1/0");
    assert_eq!(address.to_string(), "redis://ln:***@a:1/0");
    assert!(!format!("{:?} {address}", StoreAddress::Redis(address.clone())).contains("hunter2"));
    assert_eq!(address.url(), "redis://ln:hunter2@a:1/0");
    for text in ["redis://ln:hunter2/@a", "redis://ln:hunter2@a:port"] {
        let error = StoreAddress::parse(text).expect_err(text);
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }
}
