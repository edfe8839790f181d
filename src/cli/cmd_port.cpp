#include <algorithm>
#include <charconv>

#include <sbx/container.hpp>

#include "cli/command_line.hpp"
#include "cli/each_container.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

/// "80" or "80/udp" as "80/udp"; empty if it is no port.
std::string read_port(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string protocol = slash == std::string::npos ? "tcp" : text.substr(slash + 1);
  const std::string number = text.substr(0, slash);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), port);
  const bool good = error == std::errc() && end == number.data() + number.size() && port != 0 &&
                    (protocol == "tcp" || protocol == "udp" || protocol == "sctp");
  return good ? number + "/" + protocol : "";
}

}  // namespace

// sbx publishes no ports: what would be listed is known without looking.
int cmd_port(const GlobalOptions& global, const Words& words) {
  bool all = false;
  bool latest = false;
  std::string name;
  std::string port;
  CommandLine line("port", "List the ports of a container that the host publishes.");
  line.flag("-a,--all", all, "Of all containers");
  line.flag("-l,--latest", latest, "Of the container that was made last");
  line.argument("CONTAINER", name, "Name or id", false);
  line.argument("PORT", port, "Of these only PORT[/tcp|/udp|/sctp], a port of the container",
                false);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (all) {
    return name.empty() && !latest ? 0 : refuse("--all goes without containers and --latest");
  }
  if (latest && port.empty()) {
    port = std::exchange(name, "");
  }
  const Outcome<std::string> chosen = chosen_container(global.root, name, latest);
  const Outcome<Container> found =
      chosen ? find_container(global.root, chosen.value()) : Outcome<Container>(chosen.failure());
  if (!found) {
    return complain(found.failure());
  }
  if (port.empty()) {
    return 0;
  }
  const std::string wanted = read_port(port);
  return refuse(wanted.empty()
                    ? "'" + port + "' is no port\n  hint: 80, 80/tcp or 80/udp"
                    : "no public port '" + wanted + "' published for " + found.value().name);
}

}  // namespace sbx::cli
