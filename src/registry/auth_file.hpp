#pragma once

// containers-auth.json(5) and docker's config.json: one file with credentials, as JSON. Neither docker nor podman minds who
// else may read such a file, and so nor do we; what we write has mode 0600.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "registry/endpoint.hpp"

namespace sbx::registry {

/// auth.json and config.json have "auths"; ~/.dockercfg is what they have in it, and knows hosts only.
enum class AuthFormat { kCurrent, kDockercfg };

class AuthFile {
 public:
  /// `path` stands in errors, which never quote what the file holds. An empty text is an empty file.
  static Result<AuthFile> parse(std::string_view text, const std::string& path, AuthFormat format);

  /// The entry of the longest of host/ns/repo, host/ns and host, then one that names the host in another way
  /// ("https://HOST/v1/"; docker.io's several names). nullopt if there is none, or an empty one (docker's mark for "ask the
  /// helper"). kCorrupt if the entry's "auth" is not base64 of USER:PASSWORD within 64 KiB.
  [[nodiscard]] Result<std::optional<Credentials>> find(std::string_view host,
                                                        std::string_view repository) const;

  /// The helper that "credHelpers" names for the host; empty if none.
  [[nodiscard]] std::string helper_for(std::string_view host) const;
  /// "credsStore"; empty if none.
  [[nodiscard]] const std::string& default_helper() const { return store_; }
  /// Hosts (docker.io under that name) and namespaces that have an entry or a helper, and the user if the file tells it.
  [[nodiscard]] std::map<std::string, std::string> list() const;

  /// Replaces what is there for `key`, HOST[/NAMESPACE]. An empty one is docker's mark for "ask the helper".
  void set(const std::string& key, const Credentials& credentials);
  /// Removes every spelling of `key`; false if there was none.
  bool remove(std::string_view key);
  /// As JSON, with all that was in the file and is not ours to know.
  [[nodiscard]] std::string serialise() const;

 private:
  [[nodiscard]] Result<std::optional<Credentials>> decode(const std::string& key) const;
  [[nodiscard]] const Json& auths() const;

  std::string path_;
  AuthFormat format_ = AuthFormat::kCurrent;
  Json document_ = Json::object();
  std::map<std::string, std::string> helpers_;  // by host as registry_name() has it
  std::string store_;
};

/// A key of "auths" as HOST[/NAMESPACE]: without scheme and API path, docker.io under that name.
std::string plain_key(std::string_view key, AuthFormat format);

}  // namespace sbx::registry
