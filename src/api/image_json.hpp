#pragma once

#include <string>
#include <string_view>

#include <sbx/image.hpp>

#include "base/json.hpp"
#include "base/result.hpp"
#include "image/image_store.hpp"

namespace sbx::api {

/// `root`: as the user named it, or empty.
Result<image::ImageStore> open_images(const std::string& root);

/// As docker shows names: without what it would complete itself.
std::string short_name(std::string_view name);

Image to_public(const image::StoredImage& stored);

/// That something happened to an image: docker's word, its id or name, and what it is called.
void tell_of_image(const std::string& data_root, const char* action, const std::string& id,
                   const std::string& name);

/// docker's member names.
Json image_to_json(const image::StoredImage& stored);

}  // namespace sbx::api
