#include <algorithm>
#include <ctime>

#include <sbx/image.hpp>

#include "api/container_use.hpp"
#include "api/failure.hpp"
#include "api/image_json.hpp"
#include "base/json.hpp"
#include "base/rfc3339.hpp"
#include "image/image_filter.hpp"
#include "image/image_store.hpp"
#include "oci/reference.hpp"
#include "runtime/settings.hpp"
#include "runtime/transfer.hpp"

namespace sbx {
namespace {

using api::open_images;
using api::short_name;
using api::to_public;

/// Newest first, as docker; what was loaded last comes first among equals.
Result<std::vector<Image>> list_images(const ImagesRequest& request) {
  const image::ImageStore store = SBX_TRY(open_images(request.root));
  const image::ImageFilter filter =
      SBX_TRY(image::ImageFilter::parse(request.filters, store, std::time(nullptr)));
  std::vector<image::StoredImage> found = SBX_TRY(store.list());
  std::reverse(found.begin(), found.end());
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return image::created_at(a) > image::created_at(b);
  });
  std::vector<Image> out;
  for (image::StoredImage& stored : found) {
    if (!filter.accepts(stored)) {
      continue;
    }
    std::erase_if(stored.names, [&](const std::string& name) { return !filter.shows(name); });
    out.push_back(to_public(stored));
  }
  return out;
}

Result<Image> load_one(const LoadOptions& options) {
  if (!runtime::is_image_source(options.source)) {
    return fail(
        Error::make(ErrorCode::kInvalidArgument, "load", options.source,
                    "it does not say what it is")
            .with_hint("write oci:DIR[:REF], oci-archive:FILE[:REF] or docker-archive:FILE[:REF]; "
                       "or, for an archive as a whole, --input FILE"));
  }
  const std::string root = SBX_TRY(runtime::data_root_of(options.root));
  const std::string manifest =
      SBX_TRY(runtime::load_image({root, options.source, options.platform, options.name}));
  const image::ImageStore store = SBX_TRY(image::ImageStore::open(root));
  Image loaded = to_public(SBX_TRY(store.find(manifest)));
  api::tell_of_image(root, "load", "sha256:" + loaded.id,
                     loaded.names.empty() ? "" : loaded.names.front());
  return loaded;
}

Result<std::monostate> tag_one(const std::string& root, const std::string& image,
                               const std::string& new_name) {
  const image::ImageStore store = SBX_TRY(open_images(root));
  const std::string id = "sha256:" + SBX_TRY(store.find(image)).id();
  SBX_TRY(SBX_TRY(open_images(root)).tag(image, new_name));
  const Result<oci::Reference> full = oci::Reference::parse(new_name);
  api::tell_of_image(SBX_TRY(runtime::data_root_of(root)), "tag", id,
                     full ? short_name(full->tagged()) : new_name);
  return std::monostate{};
}

Result<std::vector<std::string>> untag_one(const std::string& root, const std::string& image,
                                           const std::vector<std::string>& names) {
  image::ImageStore store = SBX_TRY(open_images(root));
  const std::string id = "sha256:" + SBX_TRY(store.find(image)).id();
  std::vector<std::string> taken = SBX_TRY(store.untag(image, names));
  std::transform(taken.begin(), taken.end(), taken.begin(), short_name);
  for (const std::string& name : taken) {
    api::tell_of_image(SBX_TRY(runtime::data_root_of(root)), "untag", id, name);
  }
  return taken;
}

bool is_name_of(const image::StoredImage& image, const std::string& name) {
  const Result<oci::Reference> reference = oci::Reference::parse(name);
  return reference && std::find(image.names.begin(), image.names.end(), reference->tagged()) !=
                          image.names.end();
}

/// As docker: a name of several is taken away whatever uses the image. Its last one stays if a container uses the image; with
/// `force` only one that runs keeps it, and then without a name.
Result<Removed> remove_one(const std::string& given_root, const std::string& name, bool force) {
  using Force = image::ImageStore::Force;
  const std::string root = SBX_TRY(runtime::data_root_of(given_root));
  image::ImageStore store = SBX_TRY(open_images(given_root));
  const std::optional<image::StoredImage> found = SBX_TRY(store.try_find(name));
  const bool by_name = found && is_name_of(*found, name);
  image::RemovedImage removed;
  Result<void> free = found && !found->read_only && (!by_name || found->names.size() <= 1)
                          ? api::refuse_if_used(root, store, found->id(), force)
                          : Result<void>();
  if (!free && !(force && by_name)) {
    return fail(std::move(free).error());
  }
  if (free) {
    removed = SBX_TRY(store.remove(name, force ? Force::kYes : Force::kNo));
  } else {
    removed.untagged = SBX_TRY(store.untag(name, {name}));
  }
  Removed out;
  for (const std::string& untagged : removed.untagged) {
    out.untagged.push_back(short_name(untagged));
    api::tell_of_image(root, "untag", "sha256:" + (found ? found->id() : ""), out.untagged.back());
  }
  out.deleted = removed.deleted.value_or("");
  if (!out.deleted.empty()) {
    api::tell_of_image(root, "delete", "sha256:" + out.deleted, "sha256:" + out.deleted);
  }
  return out;
}

Result<std::string> inspect_one(const std::string& root, const std::string& image) {
  const image::ImageStore store = SBX_TRY(open_images(root));
  return dump_json(api::image_to_json(SBX_TRY(store.find(image))), 4);
}

/// Newest first. Steps that made a layer take the layers from the lowest on; the newest step is the image itself.
Result<std::vector<ImageStep>> history_of(const std::string& root, const std::string& image) {
  const image::StoredImage stored = SBX_TRY(SBX_TRY(open_images(root)).find(image));
  std::vector<ImageStep> out;
  std::size_t layer = 0;
  for (const oci::HistoryEntry& entry : stored.config.history) {
    ImageStep step{{}, entry.created, entry.created_by, 0, entry.comment};
    if (!entry.empty_layer && layer < stored.layer_sizes.size()) {
      step.size = stored.layer_sizes[layer++];
    }
    out.push_back(std::move(step));
  }
  for (; layer < stored.layer_sizes.size(); ++layer) {  // what no step tells of
    out.push_back({{}, stored.config.created, {}, stored.layer_sizes[layer], {}});
  }
  for (ImageStep& step : out) {
    if (const std::optional<std::int64_t> seconds = parse_rfc3339(step.created)) {
      step.created = format_rfc3339(*seconds);
    }
  }
  if (!out.empty()) {
    out.back().id = stored.id();
  }
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace

Outcome<std::vector<Image>> images(const ImagesRequest& request) {
  return api::to_outcome(list_images(request));
}

Outcome<Image> load(const LoadOptions& options) { return api::to_outcome(load_one(options)); }

Outcome<std::monostate> tag(const std::string& root, const std::string& image,
                            const std::string& new_name) {
  return api::to_outcome(tag_one(root, image, new_name));
}

Outcome<std::vector<std::string>> untag(const std::string& root, const std::string& image,
                                        const std::vector<std::string>& names) {
  return api::to_outcome(untag_one(root, image, names));
}

Outcome<Removed> remove_image(const std::string& root, const std::string& image, bool force) {
  return api::to_outcome(remove_one(root, image, force));
}

Outcome<std::string> inspect_image(const std::string& root, const std::string& image) {
  return api::to_outcome(inspect_one(root, image));
}

Outcome<std::vector<ImageStep>> image_history(const std::string& root, const std::string& image) {
  return api::to_outcome(history_of(root, image));
}

}  // namespace sbx
