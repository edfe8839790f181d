#include "runtime/image_source.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "image/image_store.hpp"
#include "runtime/registries.hpp"
#include "runtime/settings.hpp"
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
  defaults.labels = config.labels;
  const oci::Healthcheck& health = config.healthcheck;
  defaults.health = {health.test,         health.interval,       health.timeout,
                     health.start_period, health.start_interval, health.retries};
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

/// What an additional store lacks for running is made in the own one.
Result<void> make_ready(const image::ImageStore& store, const std::string& name,
                        const std::string& data_root) {
  const std::optional<image::StoredImage> image = SBX_TRY(store.try_find(name));
  if (!image || store.is_ready(*image)) {
    return {};
  }
  if (store.has_plain_layers(*image)) {
    (void)SBX_TRY(ask_transfer(
        {"adopt", "--root", data_root, "--store", image->store, image->manifest.str()}));
    return {};
  }
  // Compressed layers cannot be served as they lie: a copy, found first from now on.
  (void)SBX_TRY(
      load_image({data_root, fmt::format("oci:{}:{}", image->store, image->layout_ref), "", ""}));
  return {};
}

OpenedImage opened(std::pair<image::StoredImage, image::ImageFiles> found) {
  return {defaults_of(found.first.config), found.first.manifest.str(), std::move(found.second.tree),
          std::move(found.second.layers)};
}

/// As it lies in the store.
Result<OpenedImage> open_stored(const RunRequest& request, const std::string& data_root,
                                const std::string& name) {
  const image::ImageStore store =
      SBX_TRY(image::ImageStore::open(data_root, SBX_TRY(load_settings()).image_stores));
  if (store.has_additional()) {
    SBX_TRY(make_ready(store, name, data_root));
  }
  auto found = SBX_TRY(store.find_and_open(name));
  if (!request.platform.empty()) {
    SBX_TRY(check_platform(request, found.first.config.platform));
  }
  return opened(std::move(found));
}

}  // namespace

Result<OpenedImage> open_image(const RunRequest& request, const std::string& data_root) {
  if (is_image_source(request.image)) {
    return open_stored(request, data_root,
                       SBX_TRY(load_image({data_root, request.image, request.platform, ""})));
  }
  const std::string name = plain_name(request.image);
  if (request.pull == PullPolicy::kMissing || request.pull == PullPolicy::kNever) {
    Result<OpenedImage> stored = open_stored(request, data_root, name);
    if (stored || request.pull == PullPolicy::kNever ||
        stored.error().code != ErrorCode::kNotFound) {
      return stored;
    }
  }
  const Result<TransferPulled> pulled =
      pull_image({data_root, name, request.platform, request.registry, request.progress});
  if (pulled) {
    return open_stored(request, data_root, pulled->manifest);
  }
  if (request.pull == PullPolicy::kNewer) {
    if (Result<OpenedImage> stored = open_stored(request, data_root, name)) {
      log::warn("{}", pulled.error().message());
      return stored;
    }
  }
  return fail(pulled.error());
}

}  // namespace sbx::runtime
