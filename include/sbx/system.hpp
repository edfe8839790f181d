#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sbx/image.hpp>
#include <sbx/outcome.hpp>

namespace sbx {

/// What one image takes on disk.
struct ImageUsage {
  Image image;
  std::uint64_t shared = 0;  // bytes that other images need too
  std::uint64_t unique = 0;  // bytes that would be free without it
  std::size_t containers = 0;
};

/// What one container takes on disk: what it changed.
struct ContainerUsage {
  std::string id;
  std::string name;   // may be empty
  std::string image;  // as it was typed
  bool running = false;
  std::uint64_t size = 0;
};

/// What one volume takes on disk.
struct VolumeUsage {
  std::string name;
  std::size_t containers = 0;  // that use it
  std::uint64_t size = 0;
};

struct DiskUsage {
  std::vector<ImageUsage> images;
  std::vector<ContainerUsage> containers;
  std::vector<VolumeUsage> volumes;
  std::uint64_t store = 0;    // bytes of the whole image store
  std::uint64_t garbage = 0;  // of it, what no image needs
};
Outcome<DiskUsage> disk_usage(const std::string& root);

/// The machine, the store and what is in it, as JSON text: docker's member names, and podman's `host`, `store` and `version`.
Outcome<std::string> system_info(const std::string& root);

struct PruneOptions {
  std::string root;
  bool all = false;         // every image that no container uses, not only those without a name
  bool containers = false;  // containers that are not running, too
  bool volumes = false;  // volumes without a name that no container uses; with `all` those with one
  bool images = true;    // and what nothing in the store needs
  std::vector<std::string> filters;  // until=TIME, label=NAME[=VALUE], label!=…
};
struct Pruned {
  std::vector<std::string> containers;  // ids
  std::vector<std::string> volumes;     // names
  std::vector<Removed> images;
  std::uint64_t bytes = 0;  // that are free now
};
/// Removes what nothing uses, and what killed processes left behind.
Outcome<Pruned> prune(const PruneOptions& options);

/// Something in the store that is not as it should be.
struct StoreProblem {
  std::string kind;     // blob, image, tree, garbage, index
  std::string subject;  // what it is about
  std::string text;     // what is wrong
  std::string action;   // what was done about it; empty: nothing
};
struct StoreReport {
  std::uint64_t images = 0;
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;  // of the blobs
  std::uint64_t trees = 0;
  std::uint64_t found = 0;  // problems; `problems` tells of the first thousand
  std::uint64_t left = 0;   // of them, not repaired
  std::vector<StoreProblem> problems;
};
/// Compares every file of the image store with its digest, every image with its files, every tree with its layers. With
/// `repair`: damaged files are put aside, trees made anew, images that cannot be whole taken out, garbage removed.
Outcome<StoreReport> check_store(const std::string& root, bool repair);

}  // namespace sbx
