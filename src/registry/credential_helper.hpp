#pragma once

// The protocol of docker-credential-helpers: "docker-credential-NAME get|store|erase|list", data on standard input and output.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "registry/endpoint.hpp"

namespace sbx::registry {

class CredentialHelper {
 public:
  /// The program docker-credential-NAME in one of `path`, absolute directories. kInvalidArgument for a name that is not made of
  /// [A-Za-z0-9._-]; kNotFound if there is no such program.
  static Result<CredentialHelper> find(std::string_view name, const std::vector<std::string>& path);

  /// What is stored for a server; nullopt if the helper says that there is nothing. Each call runs the program for 30 s and
  /// takes 64 KiB from it at most. No secret gets into an argument, a log or an error.
  [[nodiscard]] Result<std::optional<Credentials>> get(const std::string& server) const;
  [[nodiscard]] Result<void> store(const std::string& server, const Credentials& credentials) const;
  /// False if there was nothing.
  [[nodiscard]] Result<bool> erase(const std::string& server) const;
  /// Servers and the user names stored for them.
  [[nodiscard]] Result<std::map<std::string, std::string>> list() const;

 private:
  explicit CredentialHelper(std::string program) : program_(std::move(program)) {}
  /// Its output; nullopt if it says that it has nothing.
  [[nodiscard]] Result<std::optional<std::string>> run(const char* verb,
                                                       const std::string& input) const;

  std::string program_;
};

}  // namespace sbx::registry
