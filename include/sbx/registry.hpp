#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sbx/outcome.hpp>

namespace sbx {

/// How far one layer of an image has come; bytes as the registry has them.
struct TransferProgress {
  std::size_t layer = 0;  // from 1
  std::size_t layers = 0;
  std::uint64_t done = 0;  // of this layer
  std::uint64_t total = 0;
};
using ProgressCallback = std::function<void(const TransferProgress&)>;

/// How a registry is talked to.
struct RegistryOptions {
  std::string auth_file;           // empty: the usual files, as podman and docker have them
  std::optional<bool> tls_verify;  // absent: as registries.conf has it
};

struct PullOptions {
  std::string root;      // directory of images and containers; empty: the usual one
  std::string name;      // "busybox", "quay.io/user/app:1", "docker://..."
  std::string platform;  // OS/ARCH[/VARIANT]; empty: this machine's
  RegistryOptions registry;
  ProgressCallback progress;  // may be empty
};

struct Pulled {
  std::string id;         // of the image: the digest of its configuration, 64 hexadecimal digits
  std::string reference;  // the full name: which of those that a short one may mean
  bool already = false;   // the store had all of it
};

/// Fetches an image from a registry. Layers that are there are not fetched again; those that were finished when it fails
/// stay for the next try.
Outcome<Pulled> pull(const PullOptions& options);

struct PushOptions {
  std::string root;
  std::string image;        // of the store: name, id or digest
  std::string destination;  // [REGISTRY/]NAME[:TAG]; empty: the image's name
  std::string compression;  // of layers: gzip, zstd, none; empty: as they came, else gzip
  std::string format;       // of a new manifest: oci, docker; empty: as it came, else oci
  RegistryOptions registry;
  ProgressCallback progress;  // may be empty
};

struct Pushed {
  std::string digest;     // of the manifest in the registry
  std::string reference;  // the full name
  /// The digest of the manifest that came with the image, if it could not be kept: a layer's compressed form is neither known to the
  /// registry nor one that sbx can make again. Else empty.
  std::string came_as;
  std::uint64_t size = 0;  // of the layers, compressed
  std::size_t layers_there = 0;
  std::size_t layers_mounted = 0;  // taken from another repository of the registry
  std::size_t layers_sent = 0;
  std::uint64_t bytes_sent = 0;
};

/// Writes an image of the store to a registry. What the registry has is not sent.
Outcome<Pushed> push(const PushOptions& options);

/// Asks on the terminal, whatever standard input is; a secret is not shown. Without a terminal a failure.
Outcome<std::string> ask_user(const std::string& question, bool secret);

struct LoginOptions {
  std::string registry;  // HOST[:PORT][/NAMESPACE]
  std::string username;  // empty: only try what is known
  std::string password;
  RegistryOptions options;
};
struct LoggedIn {
  std::string username;
  std::string kept;  // the file or helper that has the password now; empty if it was known
};
/// Asks the registry whether it takes the password, and keeps it where podman and docker look, too.
Outcome<LoggedIn> login(const LoginOptions& options);

struct LoggedOut {
  std::string registry;
  bool found = false;
  std::vector<std::string> left;  // files that still have a password for it
};
/// Forgets passwords; all there are if no registry is given.
Outcome<std::vector<LoggedOut>> logout(const std::vector<std::string>& registries,
                                       const RegistryOptions& options);

struct Login {
  std::string registry;
  std::string username;  // empty if only a helper knows it
  std::string source;    // the file
};
Outcome<std::vector<Login>> logins(const RegistryOptions& options);

struct SearchOptions {
  std::string term;  // [REGISTRY/]TERM; for tags() a name
  std::size_t limit = 25;
  RegistryOptions registry;
};
struct SearchResult {
  std::string registry;
  std::string name;         // with the registry
  std::string description;  // printable, from outside
  std::size_t stars = 0;
  bool official = false;
};
struct SearchResults {
  std::vector<SearchResult> found;
  bool complete = true;  // there is no more
};
/// Repositories whose name or description has the term.
Outcome<SearchResults> search(const SearchOptions& options);

struct TagList {
  std::string name;
  std::vector<std::string> tags;
  bool complete = true;
};
/// The tags of a repository.
Outcome<TagList> tags(const SearchOptions& options);

struct RemoteOptions {
  std::string name;
  std::string platform;  // OS/ARCH[/VARIANT]; empty: this machine's
  RegistryOptions registry;
};
struct RemoteImage {
  std::string json;      // as inspect_image(), and what the registry says under "Registry"
  std::string manifest;  // what the name means, byte by byte: an index or a manifest
  std::string config;    // of the platform's image, byte by byte
};
/// What a registry says of an image. No layer is fetched, nothing is kept.
Outcome<RemoteImage> inspect_remote(const RemoteOptions& options);

}  // namespace sbx
