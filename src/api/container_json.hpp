#pragma once

#include <optional>
#include <string>

#include "base/json.hpp"
#include "runtime/containers.hpp"

namespace sbx::api {

/// What is known of a container besides its state and configuration.
struct ContainerFacts {
  std::string directory;  // containers/ID
  std::string volumes;    // the folder of volumes
  std::string image_id;   // digest of the image's configuration; empty: not an image of the store
  std::optional<Json> health;  // read_health()
};

/// docker's member names (`docker container inspect`, Engine API 1.43). What sbx has nothing like is left out.
Json container_to_json(const runtime::Container& container, const runtime::ContainerConfig& config,
                       const ContainerFacts& facts);

}  // namespace sbx::api
