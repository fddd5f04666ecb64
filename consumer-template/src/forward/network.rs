//! Which addresses may be connected to.
//!
//! Public ones, with TLS. Others only if they are allowed: `loopback`, `private`, `link-local` and `shared` by that name,
//! or a network such as `10.1.0.0/16`. What nothing allows: the addresses from which clouds give out credentials, the
//! unspecified one (it reaches the machine itself), and groups.
//!
//! An IPv4 address inside an IPv6 address (`::ffff:127.0.0.1`, `64:ff9b::7f00:1`) is judged as the IPv4 address that it
//! reaches. Source of the ranges: the IANA registries of special-purpose addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// What kind of address it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Reachable from everywhere.
    Public,
    /// This machine.
    Loopback,
    /// A private network (RFC 1918, RFC 4193).
    Private,
    /// This link (RFC 3927, RFC 4291).
    LinkLocal,
    /// Shared between a carrier and its customers (RFC 6598); overlay networks use it too.
    Shared,
    /// Reserved for something else: documentation, benchmarks, tunnels, the future.
    Reserved,
    /// Where clouds tell a machine its credentials.
    Metadata,
    /// Nothing that could be connected to on purpose: unspecified, broadcast, groups.
    Nowhere,
}

impl Class {
    /// Those that are allowed by name, with their names.
    const NAMED: [(&'static str, Self); 4] = [
        ("loopback", Self::Loopback),
        ("private", Self::Private),
        ("link-local", Self::LinkLocal),
        ("shared", Self::Shared),
    ];

    /// The class of `address`.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        if METADATA.contains(&canonical(address)) {
            return Self::Metadata;
        }
        let found = |ranges: &[(&str, Self)]| {
            let mut ranges =
                ranges.iter().filter_map(|(net, class)| Some((net.parse::<IpNet>().ok()?, *class)));
            ranges.find(|(net, _)| net.contains(&canonical(address))).map(|(_, class)| class)
        };
        match canonical(address) {
            IpAddr::V4(_) => found(&V4).unwrap_or(Self::Public),
            // Of the rest only 2000::/3 is given out.
            IpAddr::V6(_) => found(&V6).unwrap_or(Self::Reserved),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::LinkLocal => "a link-local address",
            Self::Shared => "a shared address",
            Self::Reserved => "a reserved address",
            Self::Metadata => "an address of a cloud's metadata service",
            Self::Nowhere => "an address that means no machine, or many",
        }
    }
}

const METADATA: [IpAddr; 9] = [
    // AWS, Azure, Google, DigitalOcean and most others; ECS tasks and EKS pods.
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    // Alibaba, Oracle, Azure's host.
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    // AWS, EKS pods, Google.
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// The first that contains an address counts.
const V4: [(&str, Class); 16] = [
    ("0.0.0.0/8", Class::Nowhere),
    ("10.0.0.0/8", Class::Private),
    ("100.64.0.0/10", Class::Shared),
    ("127.0.0.0/8", Class::Loopback),
    ("169.254.0.0/16", Class::LinkLocal),
    ("172.16.0.0/12", Class::Private),
    ("192.0.0.0/24", Class::Reserved),
    ("192.0.2.0/24", Class::Reserved),
    ("192.88.99.0/24", Class::Reserved),
    ("192.168.0.0/16", Class::Private),
    ("198.18.0.0/15", Class::Reserved),
    ("198.51.100.0/24", Class::Reserved),
    ("203.0.113.0/24", Class::Reserved),
    ("224.0.0.0/4", Class::Nowhere),
    ("255.255.255.255/32", Class::Nowhere),
    ("240.0.0.0/4", Class::Reserved),
];

const V6: [(&str, Class); 10] = [
    ("::1/128", Class::Loopback),
    ("::/96", Class::Nowhere),
    ("fc00::/7", Class::Private),
    ("fe80::/10", Class::LinkLocal),
    ("ff00::/8", Class::Nowhere),
    ("2001::/23", Class::Reserved),
    ("2001:db8::/32", Class::Reserved),
    ("2002::/16", Class::Reserved),
    ("3fff::/20", Class::Reserved),
    ("2000::/3", Class::Public),
];

/// The address that is reached: the IPv4 address in one that only wraps it (RFC 4291, 2.5.5.2; RFC 6052, 2.1).
fn canonical(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        _ => address,
    }
}

/// What is allowed beside public addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    classes: Vec<Class>,
    networks: Vec<IpNet>,
}

impl Allowance {
    /// Reads the names and networks.
    ///
    /// # Errors
    ///
    /// What is wrong with one of them, and the remedy.
    pub fn parse<S: AsRef<str>>(entries: &[S]) -> Result<Self, String> {
        let mut allowance = Self::default();
        for entry in entries.iter().map(AsRef::as_ref) {
            match Class::NAMED.iter().find(|(name, _)| *name == entry) {
                Some((_, class)) => allowance.classes.push(*class),
                None => allowance.networks.push(network(entry)?),
            }
        }
        Ok(allowance)
    }

    /// Whether nothing is allowed beside public addresses.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty() && self.networks.is_empty()
    }

    /// The names and networks, the names first.
    #[must_use]
    pub fn entries(&self) -> Vec<String> {
        let names = Class::NAMED.iter().filter(|(_, class)| self.classes.contains(class));
        let names = names.map(|(name, _)| (*name).to_owned());
        names.chain(self.networks.iter().map(ToString::to_string)).collect()
    }

    /// Whether `address` may be connected to; `plain`: without TLS.
    ///
    /// # Errors
    ///
    /// [`NotAllowed`] if not.
    pub fn check(&self, address: IpAddr, plain: bool) -> Result<(), NotAllowed> {
        let class = Class::of(address);
        let listed = || self.networks.iter().any(|network| network.contains(&canonical(address)));
        let allowed = match class {
            Class::Public => !plain,
            Class::Metadata | Class::Nowhere => false,
            Class::Loopback | Class::Private | Class::LinkLocal | Class::Shared | Class::Reserved => {
                self.classes.contains(&class) || listed()
            }
        };
        if allowed { Ok(()) } else { Err(NotAllowed { address, class }) }
    }
}

fn network(entry: &str) -> Result<IpNet, String> {
    let shown = entry.escape_debug();
    let one = |address: IpAddr| IpNet::from(address);
    let Some(network) = entry.parse().ok().or_else(|| entry.parse().ok().map(one)) else {
        let names = Class::NAMED.map(|(name, _)| name).join(", ");
        return Err(format!("'{shown}': give {names}, or a network such as 10.1.0.0/16"));
    };
    if network.addr() != network.network() {
        return Err(format!(
            "'{shown}': the network of that length begins at {}: write it so",
            network.trunc()
        ));
    }
    if canonical(network.addr()) != network.addr() {
        return Err(format!("'{shown}': write the IPv4 network that it means"));
    }
    let widest = if matches!(network, IpNet::V4(_)) { 8 } else { 7 };
    if network.prefix_len() < widest {
        return Err(format!(
            "'{shown}' allows nearly everything: name the networks that you mean, at most a /{widest}"
        ));
    }
    match Class::of(network.addr()) {
        Class::Public => {
            Err(format!("'{shown}' is public: with https it needs no allowance, and nothing allows http"))
        }
        Class::Metadata | Class::Nowhere => {
            Err(format!("'{shown}': nothing can allow {}", Class::of(network.addr()).name()))
        }
        _ => Ok(network),
    }
}

/// An address that may not be connected to. Caused by the configuration, or by whoever answers for the target's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAllowed {
    address: IpAddr,
    class: Class,
}

impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}: ", self.address, self.class.name())?;
        if let Some((name, _)) = Class::NAMED.iter().find(|(_, class)| *class == self.class) {
            return write!(f, "if it is meant, add \"{name}\" or its network to allow_networks");
        }
        f.write_str(match self.class {
            Class::Public => "use https, or everybody on the way reads the events",
            Class::Reserved => "if it is meant, add its network to allow_networks",
            _ => "nothing is forwarded there",
        })
    }
}

impl std::error::Error for NotAllowed {}
