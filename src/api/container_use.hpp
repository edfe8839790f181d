#pragma once

// What containers and images have to do with each other: runtime knows the ones, image the others.

#include <string>
#include <vector>

#include "base/result.hpp"
#include "image/image_store.hpp"
#include "runtime/container_filter.hpp"
#include "runtime/containers.hpp"

namespace sbx::api {

/// "starting", "healthy" or "unhealthy"; empty: it does not run, or has no checks.
std::string health_of(const std::string& data_root, const runtime::Container& container);

/// For a ContainerFilter that is used at once.
runtime::FilterFacts filter_facts(const std::string& data_root);

/// The id of the image that a container was made from; empty if it is not in the store any more.
std::string image_of(const image::ImageStore& store, const runtime::Container& container);

/// kBusy, naming a container, if one uses the image. `running_only`: those that do not run do not count.
Result<void> refuse_if_used(const std::string& data_root, const image::ImageStore& store,
                            const std::string& image_id, bool running_only);

}  // namespace sbx::api
