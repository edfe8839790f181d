#include "net/resolv_conf.hpp"

#include <array>

#include "base/log.hpp"
#include "sys/file.hpp"

namespace sbx::net {
namespace {

constexpr std::size_t kLinesMax = 64;
constexpr std::size_t kLineBytesMax = 1024;

std::string_view first_word(std::string_view line) {
  return line.substr(0, line.find_first_of(" \t"));
}

std::string_view value_of(std::string_view line) {
  line.remove_prefix(first_word(line).size());
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return line.substr(0, line.find_first_of(" \t"));
}

/// Directories that hold nothing but resolver files; others (/etc, a home) are not to be seen by the network process.
bool made_for_resolvers(std::string_view directory) {
  constexpr std::array<std::string_view, 4> kKnown{"/run/systemd/resolve", "/run/NetworkManager",
                                                   "/run/resolvconf", "/run/connman"};
  for (const std::string_view known : kKnown) {
    if (directory == known) {
      return true;
    }
  }
  return false;
}

struct HostResolver {
  bool has_ipv4 = false;
  bool has_ipv6 = false;
  std::string kept_lines;
};

HostResolver read_host(std::string_view text) {
  HostResolver host;
  for (std::size_t lines = 0; !text.empty() && lines < kLinesMax; ++lines) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    const std::string_view word = first_word(line);
    if (word == "nameserver") {
      const bool ipv6 = value_of(line).find(':') != std::string_view::npos;
      host.has_ipv6 = host.has_ipv6 || ipv6;
      host.has_ipv4 = host.has_ipv4 || !ipv6;
    } else if ((word == "search" || word == "domain" || word == "options") &&
               line.size() <= kLineBytesMax) {
      host.kept_lines.append(line).push_back('\n');
    }
  }
  return host;
}

}  // namespace

std::string guest_resolv_conf(const AddressPlan& plan, bool ipv6, std::string_view host_text) {
  const HostResolver host = read_host(host_text);
  const std::string v4 = "nameserver " + to_text(plan.dns) + "\n";
  const std::string v6 = ipv6 ? "nameserver " + to_text(plan.dns6) + "\n" : "";
  return (host.has_ipv6 && !host.has_ipv4 ? v6 + v4 : v4 + v6) + host.kept_lines;
}

sys::RootPlan resolver_view(const std::string& path) {
  const Result<std::string> real = sys::real_path(path);
  if (!real) {
    log::debug("no name server for the sandbox: {}", real.error().message());
    return {};
  }
  const std::size_t slash = real->rfind('/');
  const std::string directory = real->substr(0, slash);
  const bool whole = made_for_resolvers(directory);
  sys::RootPlan plan;
  plan.views.push_back({whole ? directory : *real, "resolv"});
  plan.links.push_back(
      {"etc/resolv.conf", whole ? "../resolv/" + real->substr(slash + 1) : "../resolv"});
  return plan;
}

}  // namespace sbx::net
