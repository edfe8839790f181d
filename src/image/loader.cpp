#include "image/loader.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include "base/sha256.hpp"
#include "image/index_entry.hpp"
#include "image/source_files.hpp"
#include "image/source_image.hpp"
#include "layer/ingest.hpp"
#include "layer/merged_tree.hpp"
#include "oci/chain_id.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"
#include "store/gc.hpp"
#include "store/staging.hpp"
#include "sys/file.hpp"

namespace sbx::image {
namespace {

oci::Digest digest_of(std::string_view text) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text.data(), text.size())));
  return oci::Digest(hash.finish());
}

Result<std::unique_ptr<SourceFiles>> open_files(LoadRequest& request) {
  if (request.source.transport == Transport::kOciDirectory) {
    return directory_files(std::move(request.source_file), request.source.path);
  }
  return archive_files(std::move(request.source_file), request.source.path);
}

/// "/images/busybox.tar" is "busybox".
std::string base_name(std::string path) {
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  path.erase(0, path.rfind('/') + 1);
  path.erase(std::min(path.find('.'), path.size()));
  std::transform(path.begin(), path.end(), path.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return path;
}

Result<SourceImage> find_image(SourceFiles& files, const LoadRequest& request) {
  const SourceQuery query{request.source.ref, request.platform, base_name(request.source.path)};
  Result<SourceImage> image = request.source.transport == Transport::kDockerArchive
                                  ? find_in_docker_archive(files, query)
                                  : find_in_oci_layout(files, query);
  return std::move(image).context(fmt::format("loading '{}'", printable(request.source.path)));
}

Result<std::vector<std::string>> wanted_names(const LoadRequest& request,
                                              const SourceImage& image) {
  if (request.tags.empty()) {
    return image.names;
  }
  std::vector<std::string> out;
  for (const std::string& tag : request.tags) {
    const oci::Reference reference = SBX_TRY(oci::Reference::parse(tag));
    if (reference.digest()) {
      return fail(Error::make(ErrorCode::kInvalidArgument, "tag image", tag,
                              "a name with a digest cannot be given"));
    }
    out.push_back(reference.tagged());
  }
  return out;
}

/// One load: the layers, the tree, the documents, and at the end the index.
class Loader {
 public:
  Loader(const LoadRequest& request, const store::Store& store, store::Staging& staging,
         SourceFiles& files, const SourceImage& image, std::vector<std::string> names)
      : request_(request),
        store_(store),
        staging_(staging),
        files_(files),
        image_(image),
        names_(std::move(names)),
        chain_(oci::chain_id(image.config.diff_ids)),
        budget_(request.tree_limits),
        tree_(budget_),
        need_tree_(!has_good_tree()) {}

  Result<LoadedImage> run() {
    for (std::size_t i = 0; i < image_.layers.size(); ++i) {
      SBX_TRY(
          add_layer(i).context(fmt::format("loading layer {} of {}", i + 1, image_.layers.size())));
    }
    if (need_tree_) {
      const sys::Fd file = SBX_TRY(staging_.create("tree"));
      SBX_TRY(tree_.write(file.get(), chain_, "tree"));
      SBX_TRY(staging_.add_tree(file, "tree", chain_));
    }
    LoadedImage out;
    out.chain = chain_;
    out.config = image_.config_digest;
    out.source = image_.manifest_digest;
    const std::string manifest = stored_manifest();
    out.manifest = digest_of(manifest);
    out.already = all_there_ && !need_tree_ && store_.has_blob(out.manifest.bytes());
    for (const std::uint64_t size : sizes_) {
      out.size += size;
    }
    SBX_TRY(staging_.add_blob(image_.config_text, image_.config_digest.bytes()));
    SBX_TRY(staging_.add_blob(manifest, out.manifest.bytes()));
    if (image_.manifest_digest) {
      SBX_TRY(staging_.add_blob(image_.manifest, image_.manifest_digest->bytes()));
    }
    SBX_TRY(staging_.publish());
    out.names = names_;
    SBX_TRY(enter(out, manifest.size()));
    return out;
  }

 private:
  /// One that cannot be opened (another version, damaged) is made anew.
  [[nodiscard]] bool has_good_tree() const {
    Result<sys::Fd> file = store_.open_tree(chain_);
    return file && layer::ImageTree::open(std::move(file).value(), "tree");
  }

  Result<void> add_layer(std::size_t i) {
    const oci::DiffId& diff_id = image_.config.diff_ids[i];
    layer::LayerIndex fresh(budget_);
    const layer::LayerIndex* index = &fresh;
    if (const auto it = repeated_.find(diff_id); it != repeated_.end()) {
      index = &it->second.index;
      sizes_.push_back(it->second.size);
    } else if (store_.has_blob(diff_id.bytes())) {
      SBX_TRY(take_stored(diff_id, fresh));
    } else {
      all_there_ = false;
      SBX_TRY(take_new(i, fresh));
    }
    if (need_tree_) {
      SBX_TRY(tree_.apply(*index, diff_id, sizes_.back()));
    }
    const auto rest = image_.config.diff_ids.begin() + static_cast<std::ptrdiff_t>(i) + 1;
    if (index == &fresh &&
        std::find(rest, image_.config.diff_ids.end(), diff_id) != image_.config.diff_ids.end()) {
      repeated_.emplace(diff_id, Repeated{std::move(fresh), sizes_.back()});
    }
    return {};
  }

  Result<void> take_stored(const oci::DiffId& diff_id, layer::LayerIndex& index) {
    const std::uint64_t size = SBX_TRY(store_.blob_size(diff_id.bytes()));
    sizes_.push_back(size);
    if (!need_tree_) {
      return {};
    }
    const sys::Fd tar = SBX_TRY(store_.open_blob(diff_id.bytes()));
    return layer::index_stored_layer(tar.get(), size, diff_id.str(), index);
  }

  Result<void> take_new(std::size_t i, layer::LayerIndex& index) {
    const SourceImage::Layer& wanted = image_.layers[i];
    const oci::DiffId& diff_id = image_.config.diff_ids[i];
    const SourceFile file = SBX_TRY(files_.find(wanted.path));
    if (wanted.size && *wanted.size != file.size) {
      return fail(
          Error::make(ErrorCode::kCorrupt, "load layer", file.name,
                      fmt::format("it should have {} bytes and has {}", *wanted.size, file.size)));
    }
    const std::string name = fmt::format("layer-{}", i);
    const sys::Fd output = SBX_TRY(staging_.create(name));
    layer::FileSource source(file.fd, file.offset, file.size, file.name);
    layer::IngestRequest ingest;
    ingest.source = &source;
    ingest.name = file.name;
    ingest.compressed_size = file.size;
    ingest.output = output.get();
    ingest.limits = request_.layer_limits;
    if (request_.progress) {
      ingest.progress = [&](const layer::IngestProgress& progress) {
        request_.progress({i, image_.layers.size(), progress.compressed, file.size});
      };
    }
    const layer::IngestedLayer layer =
        SBX_TRY(layer::ingest_layer(ingest, wanted.digest ? &*wanted.digest : nullptr, index));
    if (wanted.digest && layer.compressed != *wanted.digest) {
      return fail(layer::wrong_digest(file.name, wanted.digest->str(), layer.compressed.str()));
    }
    if (layer.diff_id != diff_id) {
      return fail(layer::wrong_digest(fmt::format("{} (uncompressed)", file.name), diff_id.str(),
                                      layer.diff_id.str()));
    }
    sizes_.push_back(layer.tar_size);
    return staging_.add_blob(output, name, diff_id.bytes());
  }

  /// What the store's index names: the same configuration, over layers as they lie here.
  [[nodiscard]] std::string stored_manifest() const {
    oci::Manifest out;
    out.config.media_type = oci::kOciConfigType;
    out.config.digest = image_.config_digest;
    out.config.size = image_.config_text.size();
    for (std::size_t i = 0; i < sizes_.size(); ++i) {
      oci::Descriptor layer;
      layer.media_type = oci::kOciLayerType;
      layer.digest = oci::Digest(image_.config.diff_ids[i].bytes());
      layer.size = sizes_[i];
      out.layers.push_back(std::move(layer));
    }
    return out.serialise();
  }

  Result<void> enter(const LoadedImage& loaded, std::uint64_t manifest_size) const {
    oci::Descriptor entry;
    entry.media_type = oci::kOciManifestType;
    entry.digest = loaded.manifest;
    entry.size = manifest_size;
    entry.platform = image_.config.platform;
    entry.annotations[std::string(store::kChainIdAnnotation)] = loaded.chain.str();
    if (loaded.source) {
      entry.annotations[std::string(store::kSourceAnnotation)] = loaded.source->str();
    }
    const sys::FileLock lock = SBX_TRY(store_.index_lock());
    oci::Index index = SBX_TRY(store_.read_index());
    add_entry(index, entry);
    for (const std::string& name : loaded.names) {
      entry.annotations[std::string(oci::kRefNameAnnotation)] = name;
      add_entry(index, entry);
    }
    return store_.write_index(index);
  }

  struct Repeated {
    layer::LayerIndex index;
    std::uint64_t size;
  };

  const LoadRequest& request_;
  const store::Store& store_;
  store::Staging& staging_;
  SourceFiles& files_;
  const SourceImage& image_;
  std::vector<std::string> names_;
  oci::ChainId chain_;
  layer::TreeBudget budget_;
  layer::MergedTree tree_;
  bool need_tree_;
  bool all_there_ = true;
  std::vector<std::uint64_t> sizes_;
  std::map<oci::DiffId, Repeated> repeated_;  // layers that come again further up (empty ones do)
};

}  // namespace

Result<sys::Fd> open_source(const SourceName& source) {
  const int kind =
      source.transport == Transport::kOciDirectory ? O_DIRECTORY : O_NONBLOCK | O_NOCTTY;
  return sys::open_at(AT_FDCWD, source.path, O_RDONLY | kind).context("opening the image to load");
}

Result<LoadedImage> load_image(LoadRequest request) {
  const store::Store store =
      SBX_TRY(store::Store::open(request.root + "/store", store::Store::Access::kWrite));
  SBX_TRY(store::clean_leftovers(store));
  const std::unique_ptr<SourceFiles> files = SBX_TRY(open_files(request));
  const SourceImage image = SBX_TRY(find_image(*files, request));
  std::vector<std::string> names = SBX_TRY(wanted_names(request, image));
  store::Staging staging = SBX_TRY(store::Staging::open(store));
  return Loader(request, store, staging, *files, image, std::move(names)).run();
}

}  // namespace sbx::image
