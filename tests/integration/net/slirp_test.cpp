#define CATCH_CONFIG_RUNNER
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "needs.hpp"
#include "servers.hpp"
#include "sys/file.hpp"
#include "sys/landlock.hpp"
#include "sys/probe_run.hpp"
#include "world.hpp"

using namespace sbx;
using namespace sbx::test;

namespace {

std::string status_line(pid_t pid, const std::string& key) {
  const std::string path = "/proc/" + std::to_string(pid) + "/status";
  const std::string text = sys::read_file_at(AT_FDCWD, path, 65536).value_or("");
  const std::size_t at = text.find("\n" + key + ":");
  const std::size_t start = text.find_first_not_of(" \t", at + key.size() + 2);
  return at == std::string::npos ? "" : text.substr(start, text.find('\n', start) - start);
}

std::string own_mtu() {
  ifreq request{};
  std::memcpy(request.ifr_name, "eth0", 5);
  const sys::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return ::ioctl(fd.get(), SIOCGIFMTU, &request) == 0 ? std::to_string(request.ifr_mtu) : "none";
}

/// Listens on a port of the guest, connects to it, and is happy.
std::string listen_on_8000() {
  const sys::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = 0x401f;  // 8000 in network order
  const bool bound =
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  return bound && ::listen(fd.get(), 1) == 0 ? tcp_echo(kServer4, kEchoPort, 1000)
                                             : "cannot listen";
}

int count_ipv6_addresses() {
  ifaddrs* list = nullptr;
  int found = 0;
  if (::getifaddrs(&list) == 0) {
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
      const bool ipv6 = entry->ifa_addr != nullptr && entry->ifa_addr->sa_family == AF_INET6;
      found += ipv6 && std::strcmp(entry->ifa_name, "eth0") == 0 ? 1 : 0;
    }
    ::freeifaddrs(list);
  }
  return found;
}

}  // namespace

TEST_CASE("tcp, udp and dns reach the internet over IPv4 and IPv6") {
  const Guest guest;
  CHECK(guest.run([] { return tcp_echo(kServer4, kEchoPort, 8 << 20); }) == "");
  CHECK(guest.run([] { return tcp_echo(kServer6, kEchoPort, 8 << 20); }) == "");
  CHECK(guest.run([] { return udp_echo(kServer4, kEchoPort, 1400); }) == "");
  CHECK(guest.run([] { return udp_echo(kServer6, kEchoPort, 1400); }) == "");
  CHECK(guest.run([] { return dns_lookup("10.0.2.3", kKnownName, kKnownAddress); }) == "");
  CHECK(guest.run([] { return dns_lookup("fd00::3", kKnownName, kKnownAddress); }) == "");
  CHECK(guest.run([] { return dns_lookup("10.0.2.3", "other.example", kKnownAddress); }) ==
        "no such name");
}

TEST_CASE("the device has the large MTU, and one IPv6 address") {
  const Guest guest;
  CHECK(guest.run(own_mtu) == "65520");
  CHECK(guest.run([] { return udp_echo(kServer4, kEchoPort, 60000); }) == "");
  CHECK(guest.run([] { return udp_echo(kServer6, kEchoPort, 60000); }) == "");
  CHECK(guest.run([] { return std::to_string(count_ipv6_addresses()); }) == "1");
}

TEST_CASE("another network and no IPv6") {
  net::SlirpStack::Options options;
  options.plan = net::plan_for_network("192.168.77.0/24").value();
  options.ipv6 = false;
  const Guest guest(options);
  CHECK(guest.run([] { return tcp_echo(kServer4, kEchoPort, 1000); }) == "");
  CHECK(guest.run([] { return dns_lookup("192.168.77.3", kKnownName, kKnownAddress); }) == "");
  CHECK(guest.run([] { return tcp_echo(kServer6, kEchoPort, 1000); }) ==
        "connect: Network is unreachable");
}

TEST_CASE("the host's loopback is out of reach unless asked for") {
  {
    const Guest guest;
    CHECK(guest.run([] { return tcp_unreachable("10.0.2.2", kSecretPort); }) == "");
    CHECK(guest.run([] { return tcp_unreachable("fd00::2", kSecretPort); }) == "");
    CHECK(guest.run([] { return tcp_unreachable("10.0.2.50", kSecretPort); }) == "");
  }
  net::SlirpStack::Options options;
  options.host_loopback = true;
  const Guest guest(options);
  CHECK(guest.run([] { return tcp_echo("10.0.2.2", kSecretPort, 1000); }) == "");
}

TEST_CASE("a frame made by hand does not reach the host's loopback either") {
  const Guest guest;
  // First the proof that the method works; libslirp learns the guest's hardware address by it.
  CHECK(guest.run([] { return crafted_udp(kServer4, kEchoPort, 5000); }) == "answered");
  CHECK(guest.run([] { return crafted_udp("127.0.0.1", kSecretPort, 700); }) == "silence");
  CHECK(guest.run([] { return crafted_udp("0.0.0.0", kSecretPort, 700); }) == "silence");
  CHECK(guest.run([] { return crafted_udp("10.0.2.2", kSecretPort, 700); }) == "silence");
}

TEST_CASE("urgent data arrives, inline") {
  const Guest guest;
  CHECK(guest.run([] { return tcp_urgent(kServer4, kUrgentPort); }) == "");
  CHECK(guest.run([] { return tcp_urgent(kServer6, kUrgentPort); }) == "");
}

TEST_CASE("two sandboxes listen on the same port and live apart") {
  Guest first;
  const Guest second;
  CHECK(first.run(listen_on_8000) == "");
  CHECK(second.run(listen_on_8000) == "");
  first.hang_up();
  CHECK(first.net_ended(1));
  CHECK(second.run([] { return tcp_echo(kServer4, kEchoPort, 1000); }) == "");
}

TEST_CASE("the network process leaves when it is told, and can be killed") {
  Guest guest;
  guest.hang_up();
  REQUIRE(guest.net_ended(1));
  CHECK((WIFEXITED(guest.net_status()) && WEXITSTATUS(guest.net_status()) == 0));

  Guest killed;
  ::kill(killed.net_pid(), SIGKILL);
  CHECK(killed.net_ended(1));
  CHECK(killed.run([] { return tcp_unreachable(kServer4, kEchoPort); }) == "");
  const Guest next;
  CHECK(next.run([] { return tcp_echo(kServer4, kEchoPort, 1000); }) == "");
}

TEST_CASE("the network process has nothing left") {
  const Guest guest;
  REQUIRE(guest.run([] { return tcp_echo(kServer4, kEchoPort, 1000); }) == "");
  const pid_t pid = guest.net_pid();
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    CHECK(status_line(pid, set) == "0000000000000000");
  }
  CHECK(status_line(pid, "NoNewPrivs") == "1");
  CHECK(status_line(pid, "Seccomp") == "2");
  CHECK(status_line(pid, "Threads") == "1");
  CHECK(status_line(pid, "Uid").substr(0, 2) != "0\t");
  // Undumpable: only root may look further.
  if (::geteuid() == 0) {
    const std::string proc = "/proc/" + std::to_string(pid);
    std::vector<std::string> root = sys::list_dir(AT_FDCWD, proc + "/root").value();
    std::sort(root.begin(), root.end());
    CHECK(root == std::vector<std::string>{"etc", "resolv"});
    // 0, 1, 2, tap, death, and the connection if it is not closed yet.
    CHECK(sys::list_dir(AT_FDCWD, proc + "/fd").value().size() <= 6);
  } else {
    CHECK_FALSE(sys::list_dir(AT_FDCWD, "/proc/" + std::to_string(pid) + "/fd"));
  }
}

/// What a confined network process gets when it opens things, as errno values: resolv.conf, /etc/passwd, resolv.conf to write,
/// and a socket of a family that is none of its business.
std::string opened_after_confinement(bool in_a_poor_sandbox) {
  const sys::Trial trial = sys::try_out([&]() -> Result<std::string> {
    if (in_a_poor_sandbox) {
      SBX_TRY(sys::enter_trial_namespaces(true, false));
      const sys::Fd limit =
          SBX_TRY(sys::open_at(AT_FDCWD, "/proc/sys/user/max_user_namespaces", O_WRONLY));
      SBX_TRY(sys::write_full(limit.get(), "0", "max_user_namespaces"));
    }
    net::SlirpRequest request;
    for (int fd = 3; fd < 64; ++fd) {
      request.keep_fds.push_back(fd);  // the trial's pipe among them
    }
    const net::SlirpServer server = SBX_TRY(net::SlirpServer::prepare(request));
    const auto code = [](long result) { return std::to_string(result < 0 ? errno : 0) + " "; };
    std::string codes = code(::open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC));
    codes += code(::open("/etc/passwd", O_RDONLY | O_CLOEXEC));
    codes += code(::open("/etc/resolv.conf", O_RDWR | O_CLOEXEC));
    codes += code(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return codes;
  });
  return trial.text;
}

TEST_CASE("a confined process opens the resolver's file and nothing else") {
  const std::string refused = std::to_string(EROFS) + " " + std::to_string(EAFNOSUPPORT) + " ";
  CHECK(opened_after_confinement(false) == "0 " + std::to_string(ENOENT) + " " + refused);
  if (sys::Landlock::interface_version() > 0) {
    CHECK(opened_after_confinement(true) == "0 " + std::to_string(EACCES) + " " + refused);
  }
}

TEST_CASE("an idle network process sleeps") {
  const Guest guest;
  ::usleep(1'300'000);  // sys::kSettledMs and some more
  const int before = std::stoi(status_line(guest.net_pid(), "voluntary_ctxt_switches"));
  ::usleep(2'500'000);
  // libslirp on its own would wake up every second. The guest's kernel reports its multicast groups once more.
  CHECK(std::stoi(status_line(guest.net_pid(), "voluntary_ctxt_switches")) - before <= 1);
}

int main(int argc, char** argv) {
  require_or_skip({Need::kUserNamespaces, Need::kNet});
  enter_world();
  return Catch::Session().run(argc, argv);
}
