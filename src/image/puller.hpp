#pragma once

#include <functional>
#include <string>
#include <vector>

#include "image/installer.hpp"
#include "image/remote_image.hpp"
#include "oci/platform.hpp"
#include "oci/reference.hpp"
#include "registry/client.hpp"

namespace sbx::image {

/// A name that a typed one may mean, and where it may be fetched from, best first.
struct PullCandidate {
  oci::Reference reference;
  std::vector<registry::Endpoint> endpoints;
};

struct PullRequest {
  std::string root;                       // sbx's data directory
  std::vector<PullCandidate> candidates;  // tried in this order while a registry does not have one
  oci::Platform platform = oci::Platform::host();
  unsigned jobs = 3;  // layers at once
  layer::TreeLimits tree_limits;
  layer::DecompressLimits layer_limits;
  std::function<void(const LoadProgress&)> progress;  // may be empty; called by several threads
  registry::ClientOptions client;                     // `stop` and `memory` are set here
  PolicyCheck
      policy;  // a place whose image is refused is passed over like one that does not have it
};

struct PulledImage {
  LoadedImage image;
  std::string reference;  // which of the candidates it was
  std::string registry;   // the host that had it
};

/// Fetches an image from a registry into the store. Layers that are there are not fetched; those that are finished
/// when it fails stay for the next try, unless what came was wrong (kCorrupt, kLimit, kUnsupported): then nothing of it
/// stays. Two pulls of one image at a time fetch it once. Starts threads.
Result<PulledImage> pull_image(const PullRequest& request);

}  // namespace sbx::image
