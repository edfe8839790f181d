#include "sys/xdg.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>

#include "sys/file.hpp"

namespace sbx::sys {

Invoker invoker() {
  Invoker who;
  who.uid = ::getuid();
  who.gid = ::getgid();
  const int count = ::getgroups(0, nullptr);
  if (count > 0) {
    who.groups.resize(static_cast<std::size_t>(count));
    who.groups.resize(static_cast<std::size_t>(std::max(0, ::getgroups(count, who.groups.data()))));
  }
  who.name = std::to_string(who.uid);
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(who.uid, &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    who.name = found->pw_name;
    who.home = found->pw_dir;
    who.shell = found->pw_shell;
  }
  if (const std::string home = environment("HOME"); !home.empty()) {
    who.home = home;
  }
  return who;
}

Result<std::string> data_root(const Invoker& who) {
  if (std::string root = environment("SBX_ROOT"); !root.empty()) {
    return root;
  }
  if (const std::string data = environment("XDG_DATA_HOME"); data.starts_with('/')) {
    return data + "/sbx";  // relative values are to be ignored: XDG base directory specification
  }
  if (who.home.empty()) {
    return fail(Error::make(ErrorCode::kNotFound, "find a directory for images and containers", "",
                            "neither SBX_ROOT, XDG_DATA_HOME nor HOME is set")
                    .with_hint("set SBX_ROOT, or give --root DIR"));
  }
  return who.home + "/.local/share/sbx";
}

Result<std::string> random_hex(std::size_t count) {
  std::vector<unsigned char> bytes(count);
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(count)) {
    return fail(Error::system("get random bytes", ""));
  }
  std::string hex;
  for (const unsigned char byte : bytes) {
    hex += fmt::format("{:02x}", byte);
  }
  return hex;
}

Result<std::string> own_executable() { return read_link_at(AT_FDCWD, "/proc/self/exe"); }

std::string environment(const char* name) {
  const char* value =
      ::getenv(name);  // NOLINT(concurrency-mt-unsafe): read before any thread starts
  return value == nullptr ? std::string() : std::string(value);
}

std::vector<std::string> environment() {
  std::vector<std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    all.emplace_back(*entry);
  }
  return all;
}

Result<std::string> current_directory() {
  std::array<char, PATH_MAX> buffer{};
  if (::getcwd(buffer.data(), buffer.size()) == nullptr) {
    return fail(Error::system("find the current directory", ""));
  }
  return std::string(buffer.data());
}

Result<std::string> absolute_path(const std::string& path) {
  return path.starts_with('/') ? path : SBX_TRY(current_directory()) + "/" + path;
}

}  // namespace sbx::sys
