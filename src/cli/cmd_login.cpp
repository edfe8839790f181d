#include <array>
#include <cstdio>

#include <sbx/registry.hpp>

#include "cli/command_line.hpp"
#include "cli/registry_options.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

constexpr const char* kDefaultRegistry = "docker.io";

/// Standard input to its end, without a line's end.
std::string read_standard_input() {
  std::string text;
  std::array<char, 4096> piece{};
  while (const std::size_t got = std::fread(piece.data(), 1, piece.size(), stdin)) {
    text.append(piece.data(), got);
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  return text;
}

/// As docker: what is known is tried first, unless a name was given.
std::optional<int> try_known(const LoginOptions& options) {
  const Outcome<LoggedIn> tried = login(options);
  if (!tried) {
    return std::nullopt;
  }
  std::printf("Login Succeeded: %s is known to %s already\n", tried.value().username.c_str(),
              options.registry.c_str());
  return 0;
}

/// Fills in what the options leave open. The exit code if that fails.
std::optional<int> complete(LoginOptions& options, const std::optional<std::string>& password,
                            bool from_stdin) {
  if (options.username.empty()) {
    Outcome<std::string> name = ask_user("Username: ", false);
    if (!name) {
      return refuse(name.failure().message + "\n  hint: give --username");
    }
    options.username = name.value();
  }
  if (from_stdin) {
    options.password = read_standard_input();
  } else if (password) {
    options.password = *password;
  } else {
    Outcome<std::string> secret = ask_user("Password: ", true);
    if (!secret) {
      return refuse(secret.failure().message + "\n  hint: give --password-stdin");
    }
    options.password = secret.value();
  }
  return options.username.empty() || options.password.empty()
             ? std::optional(refuse("a user name and a password are needed"))
             : std::nullopt;
}

int print_user(const LoginOptions& options) {
  const Outcome<std::vector<Login>> known = logins(options.options);
  if (!known) {
    return complain(known.failure());
  }
  for (const Login& one : known.value()) {
    if (one.registry == options.registry) {
      std::printf("%s\n", one.username.c_str());
      return 0;
    }
  }
  return refuse("not logged in to '" + options.registry + "'");
}

}  // namespace

int cmd_login(const GlobalOptions& /*global*/, const Words& words) {
  LoginOptions options;
  std::optional<std::string> password;
  bool from_stdin = false;
  bool get_login = false;
  CommandLine line("login", "Keep a user name and a password for a registry.");
  line.value("-u,--username", options.username, "NAME", "User name (default: ask)");
  line.value("-p,--password", password, "PASSWORD",
             "Password, for all users of the machine to see in the list of processes: better "
             "--password-stdin, or be asked");
  line.flag("--password-stdin", from_stdin, "Read the password from standard input");
  line.flag("--get-login", get_login, "Print the user name that is kept, and log in nowhere");
  add_registry_options(line, options.options);
  line.argument("REGISTRY", options.registry, "HOST[:PORT][/NAMESPACE] (default: docker.io)",
                false);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (options.registry.empty()) {
    options.registry = kDefaultRegistry;
  }
  if (get_login) {
    return print_user(options);
  }
  if (password && from_stdin) {
    return refuse("--password and --password-stdin exclude each other");
  }
  if (from_stdin && options.username.empty()) {
    return refuse("--password-stdin needs --username");
  }
  if (options.username.empty() && !password) {
    if (const std::optional<int> code = try_known(options)) {
      return *code;
    }
  }
  if (const std::optional<int> code = complete(options, password, from_stdin)) {
    return *code;
  }
  const Outcome<LoggedIn> done = login(options);
  if (!done) {
    return complain(done.failure());
  }
  (void)std::fprintf(stderr, "The password is kept in %s\n", done.value().kept.c_str());
  std::printf("Login Succeeded!\n");
  return 0;
}

}  // namespace sbx::cli
