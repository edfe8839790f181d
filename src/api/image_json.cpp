#include "api/image_json.hpp"

#include "base/rfc3339.hpp"
#include "oci/reference.hpp"
#include "runtime/events.hpp"
#include "runtime/settings.hpp"

namespace sbx::api {
namespace {

Json set_of(const std::set<std::string>& keys) {
  Json object = Json::object();
  for (const std::string& key : keys) {
    object[key] = Json::object();
  }
  return object;
}

Json history_of(const oci::ImageConfig& config) {
  Json history = Json::array();
  for (const oci::HistoryEntry& entry : config.history) {
    history.push_back({{"created", entry.created},
                       {"created_by", entry.created_by},
                       {"comment", entry.comment},
                       {"empty_layer", entry.empty_layer}});
  }
  return history;
}

/// "busybox@sha256:…" for each repository that the image has a name in: of its manifest there, and of the index that names it.
std::vector<std::string> digests_of(const image::StoredImage& stored) {
  std::set<std::string> out;
  for (const std::string& name : stored.names) {
    const Result<oci::Reference> reference = oci::Reference::parse(name);
    if (!reference) {
      continue;
    }
    const std::string repository = short_name(reference->repository()) + "@";
    const auto source = stored.sources.find(name);
    out.insert(repository + (source == stored.sources.end()
                                 ? stored.source.value_or(stored.manifest)
                                 : source->second)
                                .str());
    if (const auto index = stored.source_indexes.find(name); index != stored.source_indexes.end()) {
      out.insert(repository + index->second.str());
    }
  }
  return {out.begin(), out.end()};
}

}  // namespace

Result<image::ImageStore> open_images(const std::string& root) {
  return image::ImageStore::open(SBX_TRY(runtime::data_root_of(root)),
                                 SBX_TRY(runtime::load_settings()).image_stores);
}

std::string short_name(std::string_view name) {
  for (const std::string_view prefix : {"docker.io/library/", "docker.io/"}) {
    if (name.starts_with(prefix)) {
      return std::string(name.substr(prefix.size()));
    }
  }
  return std::string(name);
}

Image to_public(const image::StoredImage& stored) {
  Image image;
  image.id = stored.id();
  image.digest = stored.source.value_or(stored.manifest).str();
  for (const std::string& name : stored.names) {
    image.names.push_back(short_name(name));
  }
  image.created = stored.config.created;
  if (const std::optional<std::int64_t> seconds = parse_rfc3339(image.created)) {
    image.created = format_rfc3339(*seconds);
  }
  image.platform = stored.config.platform.str();
  image.size = stored.size;
  image.labels = stored.config.labels;
  image.read_only = stored.read_only;
  return image;
}

Json image_to_json(const image::StoredImage& stored) {
  const oci::ImageConfig& config = stored.config;
  Json layers = Json::array();
  for (const oci::DiffId& id : config.diff_ids) {
    layers.push_back(id.str());
  }
  Json names = Json::array();
  for (const std::string& name : stored.names) {
    names.push_back(short_name(name));
  }
  const std::string comment = config.history.empty() ? "" : config.history.back().comment;
  return {{"Id", stored.config_digest.str()},
          {"RepoTags", std::move(names)},
          {"RepoDigests", digests_of(stored)},
          {"Digest", stored.source.value_or(stored.manifest).str()},
          {"StoreManifest", stored.manifest.str()},
          {"ChainId", stored.chain_id.str()},
          {"ReadOnly", stored.read_only},
          {"Parent", ""},
          {"Comment", comment},
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
          {"History", history_of(config)}};
}

void tell_of_image(const std::string& data_root, const char* action, const std::string& id,
                   const std::string& name) {
  runtime::write_event(data_root, {"image", action, id, {{"name", name}}, 0});
}

}  // namespace sbx::api
