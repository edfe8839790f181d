#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

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

}  // namespace sbx
