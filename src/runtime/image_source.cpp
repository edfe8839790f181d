#include "runtime/image_source.hpp"

#include <fmt/format.h>

#include "image/image_store.hpp"
#include "runtime/transfer.hpp"

namespace sbx::runtime {
namespace {

ImageDefaults defaults_of(const oci::ImageConfig& config) {
  ImageDefaults defaults;
  defaults.entry_point = config.entrypoint;
  defaults.command = config.cmd;
  defaults.environment = config.env;
  defaults.working_directory = config.working_dir;
  defaults.user = config.user;
  defaults.stop_signal = config.stop_signal;
  defaults.volumes.assign(config.volumes.begin(), config.volumes.end());
  return defaults;
}

/// What is in the store has one platform; another one has to be loaded.
Result<void> check_platform(const RunRequest& request, const oci::Platform& there) {
  const oci::Platform wanted = SBX_TRY(oci::Platform::parse(request.platform));
  if (wanted.str() != there.str()) {
    return fail(Error::make(ErrorCode::kNotFound, "run image", request.image,
                            fmt::format("it is for {}, not for {}", there.str(), wanted.str()))
                    .with_hint("load it again with --platform"));
  }
  return {};
}

}  // namespace

Result<OpenedImage> open_image(const RunRequest& request, const std::string& data_root) {
  std::string name = request.image;
  if (is_image_source(name)) {
    name = SBX_TRY(load_image({data_root, name, request.platform, ""}));
  }
  const image::ImageStore store = SBX_TRY(image::ImageStore::open(data_root));
  auto [image, files] = SBX_TRY(store.find_and_open(name));
  if (!request.platform.empty()) {
    SBX_TRY(check_platform(request, image.config.platform));
  }
  return OpenedImage{defaults_of(image.config), std::move(files.tree), std::move(files.layers)};
}

}  // namespace sbx::runtime
