#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "image/installer.hpp"
#include "layer/compression.hpp"
#include "oci/reference.hpp"
#include "registry/client.hpp"

namespace sbx::image {

struct PushRequest {
  std::string root;                     // sbx's data directory
  std::vector<std::string> additional;  // ImageStore::open()
  std::string image;                    // as ImageStore::find() takes it
  oci::Reference destination;           // with a tag and no digest
  registry::Endpoint endpoint;
  /// Of layers: nullopt keeps the form in which they came, else gzip.
  std::optional<layer::Compression> compression;
  /// Write docker's schema 2 instead of OCI's manifest, if a new one has to be written. nullopt: the type that came.
  std::optional<bool> docker_manifest;
  unsigned jobs = 3;                                  // layers at once
  std::function<void(const LoadProgress&)> progress;  // may be empty; called by several threads
  registry::ClientOptions client;                     // `stop` is set here
};

struct PushedImage {
  oci::Digest manifest;  // as the registry has it
  std::uint64_t size = 0;
  std::optional<oci::Digest> source;  // of the manifest that came, if it is another one
  std::size_t layers_there = 0;       // the registry had them
  std::size_t layers_mounted = 0;     // it took them from another repository
  std::size_t layers_sent = 0;
  std::uint64_t bytes_sent = 0;
};

/// Writes an image of the store to a registry: layers (those that are there are not sent; those of another repository that this
/// store has seen there are mounted; the rest is compressed, by way of a nameless file in staging), configuration, manifest. If every
/// layer is there in, or can be given, the form in which it came, the manifest is that which came, byte by byte, with its digest; else a
/// new one. The store notes what the manifest is now for the name `destination`, if the image has it. On failure
/// no manifest was written; blobs that were sent help the next try. Starts threads.
Result<PushedImage> push_image(const PushRequest& request);

}  // namespace sbx::image
