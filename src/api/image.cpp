#include <fmt/format.h>

#include <sbx/image.hpp>

#include "api/failure.hpp"
#include "base/json.hpp"
#include "image/image_store.hpp"
#include "runtime/transfer.hpp"
#include "sys/xdg.hpp"

namespace sbx {
namespace {

Result<std::string> data_root(const std::string& root) {
  if (root.empty()) {
    return sys::data_root(sys::invoker());
  }
  return root.starts_with('/') ? root : SBX_TRY(sys::current_directory()) + "/" + root;
}

Result<image::ImageStore> open_store(const std::string& root) {
  return image::ImageStore::open(SBX_TRY(data_root(root)));
}

/// As docker shows names: without what it would complete itself.
std::string short_name(std::string_view name) {
  for (const std::string_view prefix : {"docker.io/library/", "docker.io/"}) {
    if (name.starts_with(prefix)) {
      return std::string(name.substr(prefix.size()));
    }
  }
  return std::string(name);
}

std::string platform_text(const oci::Platform& platform) { return platform.str(); }

Image to_public(const image::StoredImage& stored) {
  Image image;
  image.id = stored.id();
  image.digest = stored.source.value_or(stored.manifest).str();
  for (const std::string& name : stored.names) {
    image.names.push_back(short_name(name));
  }
  image.created = stored.config.created;
  image.platform = platform_text(stored.config.platform);
  image.size = stored.size;
  return image;
}

Json to_json(const image::StoredImage& stored) {
  const oci::ImageConfig& config = stored.config;
  const auto set_of = [](const std::set<std::string>& keys) {
    Json object = Json::object();
    for (const std::string& key : keys) {
      object[key] = Json::object();
    }
    return object;
  };
  Json layers = Json::array();
  for (const oci::DiffId& id : config.diff_ids) {
    layers.push_back(id.str());
  }
  Json history = Json::array();
  for (const oci::HistoryEntry& entry : config.history) {
    history.push_back({{"created", entry.created},
                       {"created_by", entry.created_by},
                       {"comment", entry.comment},
                       {"empty_layer", entry.empty_layer}});
  }
  Json names = Json::array();
  for (const std::string& name : stored.names) {
    names.push_back(short_name(name));
  }
  return {{"Id", stored.config_digest.str()},
          {"RepoTags", std::move(names)},
          {"Digest", stored.source.value_or(stored.manifest).str()},
          {"StoreManifest", stored.manifest.str()},
          {"ChainId", stored.chain_id.str()},
          {"Created", config.created},
          {"Author", config.author},
          {"Architecture", config.platform.architecture},
          {"Variant", config.platform.variant},
          {"Os", config.platform.os},
          {"Size", stored.size},
          {"Config",
           {{"User", config.user},
            {"Env", config.env},
            {"Entrypoint", config.entrypoint},
            {"Cmd", config.cmd},
            {"WorkingDir", config.working_dir},
            {"StopSignal", config.stop_signal},
            {"Volumes", set_of(config.volumes)},
            {"ExposedPorts", set_of(config.exposed_ports)},
            {"Labels", config.labels}}},
          {"RootFS", {{"Type", "layers"}, {"Layers", std::move(layers)}}},
          {"History", std::move(history)}};
}

Result<std::vector<Image>> list_images(const std::string& root) {
  const image::ImageStore store = SBX_TRY(open_store(root));
  std::vector<Image> out;
  for (const image::StoredImage& stored : SBX_TRY(store.list())) {
    out.push_back(to_public(stored));
  }
  return out;
}

Result<Image> load_one(const LoadOptions& options) {
  if (!runtime::is_image_source(options.source)) {
    return fail(
        Error::make(ErrorCode::kInvalidArgument, "load", options.source,
                    "it does not say what it is")
            .with_hint("write oci:DIR[:REF], oci-archive:FILE[:REF] or docker-archive:FILE[:REF]"));
  }
  const std::string root = SBX_TRY(data_root(options.root));
  const std::string manifest =
      SBX_TRY(runtime::load_image({root, options.source, options.platform, options.name}));
  const image::ImageStore store = SBX_TRY(image::ImageStore::open(root));
  return to_public(SBX_TRY(store.find(manifest)));
}

Result<std::monostate> tag_one(const std::string& root, const std::string& image,
                               const std::string& new_name) {
  SBX_TRY(SBX_TRY(open_store(root)).tag(image, new_name));
  return std::monostate{};
}

Result<Removed> remove_one(const std::string& root, const std::string& image, bool force) {
  using Force = image::ImageStore::Force;
  image::RemovedImage removed =
      SBX_TRY(SBX_TRY(open_store(root)).remove(image, force ? Force::kYes : Force::kNo));
  Removed out;
  for (const std::string& name : removed.untagged) {
    out.untagged.push_back(short_name(name));
  }
  out.deleted = removed.deleted.value_or("");
  return out;
}

Result<std::string> inspect_one(const std::string& root, const std::string& image) {
  const image::ImageStore store = SBX_TRY(open_store(root));
  return dump_json(to_json(SBX_TRY(store.find(image))), 4);
}

}  // namespace

Outcome<std::vector<Image>> images(const std::string& root) {
  return api::to_outcome(list_images(root));
}

Outcome<Image> load(const LoadOptions& options) { return api::to_outcome(load_one(options)); }

Outcome<std::monostate> tag(const std::string& root, const std::string& image,
                            const std::string& new_name) {
  return api::to_outcome(tag_one(root, image, new_name));
}

Outcome<Removed> remove_image(const std::string& root, const std::string& image, bool force) {
  return api::to_outcome(remove_one(root, image, force));
}

Outcome<std::string> inspect_image(const std::string& root, const std::string& image) {
  return api::to_outcome(inspect_one(root, image));
}

}  // namespace sbx
