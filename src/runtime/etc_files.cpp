#include "runtime/etc_files.hpp"

#include <fmt/format.h>

#include "net/address_plan.hpp"
#include "net/resolv_conf.hpp"
#include "sys/file.hpp"

namespace sbx::runtime {
namespace {

constexpr std::size_t kHostFileMax = std::size_t{1} << 20U;

/// Calls `visit` for each line, without its newline.
template <class Visit>
void for_lines(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    visit(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
}

std::string ended(std::string text) {
  if (!text.empty() && !text.ends_with('\n')) {
    text += '\n';
  }
  return text;
}

/// The field `index` of a line of fields between colons.
std::string_view field(std::string_view line, int index) {
  for (; index > 0; --index) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      return {};
    }
    line.remove_prefix(colon + 1);
  }
  return line.substr(0, line.find(':'));
}

bool knows_number(std::string_view text, std::uint32_t number) {
  const std::string wanted = std::to_string(number);
  bool known = false;
  for_lines(text, [&](std::string_view line) { known = known || field(line, 2) == wanted; });
  return known;
}

}  // namespace

std::string hosts_text(NetworkMode network, const std::string& hostname) {
  if (network == NetworkMode::kHost) {
    return sys::read_file_at(AT_FDCWD, "/etc/hosts", kHostFileMax)
        .value_or("127.0.0.1\tlocalhost\n");
  }
  std::string text =
      "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost "
      "ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\n"
      "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";
  const std::string own =
      network == NetworkMode::kSlirp ? net::to_text(net::AddressPlan{}.guest) : "127.0.0.1";
  return text + fmt::format("{}\t{}\n", own, hostname);
}

std::string resolv_conf_text(NetworkMode network, std::string_view host_text) {
  if (network == NetworkMode::kHost) {
    return std::string(host_text);
  }
  if (network == NetworkMode::kSlirp) {
    return net::guest_resolv_conf({}, true, host_text);
  }
  std::string text;
  for_lines(host_text, [&](std::string_view line) {
    if (line.starts_with("search ") || line.starts_with("domain ") ||
        line.starts_with("options ")) {
      text += line;
      text += '\n';
    }
  });
  return text;
}

std::string passwd_with(std::string passwd, const sys::Invoker& who) {
  if (knows_number(passwd, who.uid)) {
    return passwd;
  }
  return ended(std::move(passwd)) + fmt::format("{}:x:{}:{}::{}:{}\n", who.name, who.uid, who.gid,
                                                who.home.empty() ? "/" : who.home,
                                                who.shell.empty() ? "/bin/sh" : who.shell);
}

std::string group_with(std::string group, const sys::Invoker& who) {
  if (knows_number(group, who.gid)) {
    return group;
  }
  return ended(std::move(group)) + fmt::format("{}:x:{}:\n", who.name, who.gid);
}

}  // namespace sbx::runtime
