#include "image/installer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/sha256.hpp"
#include "image/index_entry.hpp"
#include "layer/image_tree.hpp"
#include "layer/ingest.hpp"
#include "layer/merged_tree.hpp"
#include "oci/chain_id.hpp"
#include "oci/manifest.hpp"

namespace sbx::image {
namespace {

oci::Digest digest_of(std::string_view text) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text.data(), text.size())));
  return oci::Digest(hash.finish());
}

/// A layer that is a blob of the store now.
struct TakenLayer {
  std::uint64_t size = 0;
  std::optional<layer::LayerIndex> index;  // none: it was there already
};

/// Takes layers in, several at once, and hands them out in any order.
class LayerTaker {
 public:
  LayerTaker(const InstallRequest& request, layer::TreeBudget& budget)
      : request_(request), budget_(budget), taken_(request.image.layers.size()) {}
  ~LayerTaker() {
    stop();
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }
  LayerTaker(const LayerTaker&) = delete;
  LayerTaker& operator=(const LayerTaker&) = delete;

  void start(std::vector<std::size_t> wanted) {
    wanted_ = std::move(wanted);
    const std::size_t count = std::min<std::size_t>(request_.jobs, wanted_.size());
    for (std::size_t i = 0; i < count; ++i) {
      threads_.emplace_back([this] { work(); });
    }
  }

  /// Waits for a layer of start(); once each. The error is that of the layer that failed first, whichever it is.
  Result<TakenLayer> wait(std::size_t layer) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return failure_ || taken_[layer]; });
    if (failure_) {
      return fail(*failure_);
    }
    return std::move(*taken_[layer]);
  }

 private:
  void stop() {
    const std::lock_guard lock(mutex_);
    next_ = wanted_.size();
    if (request_.stop != nullptr) {
      *request_.stop = true;
    }
  }

  void work() {
    for (;;) {
      std::size_t layer = 0;
      {
        const std::lock_guard lock(mutex_);
        if (next_ == wanted_.size()) {
          return;
        }
        layer = wanted_[next_++];
      }
      Result<TakenLayer> taken = take(layer).context(
          fmt::format("loading layer {} of {}", layer + 1, request_.image.layers.size()));
      const bool failed = !taken;
      {
        const std::lock_guard lock(mutex_);
        if (taken) {
          taken_[layer] = std::move(taken).value();
        } else if (!failure_) {
          failure_ = std::move(taken).error();
        }
      }
      changed_.notify_all();
      if (failed) {
        stop();
      }
    }
  }

  Result<TakenLayer> take(std::size_t layer) {
    const oci::DiffId& diff_id = request_.image.config.diff_ids[layer];
    std::optional<sys::FileLock> lock;
    if (request_.pending != nullptr) {
      lock = SBX_TRY(request_.pending->lock_layer(diff_id));
      if (request_.store.has_blob(diff_id.bytes())) {  // another process was quicker
        return TakenLayer{SBX_TRY(request_.store.blob_size(diff_id.bytes())), std::nullopt};
      }
    }
    const SourceImage::Layer& wanted = request_.image.layers[layer];
    OpenedLayer opened = SBX_TRY(request_.layers.open(layer));
    if (wanted.size && *wanted.size != opened.size) {
      return fail(Error::make(
          ErrorCode::kCorrupt, "load layer", opened.name,
          fmt::format("it should have {} bytes and has {}", *wanted.size, opened.size)));
    }
    const std::string name = fmt::format("layer-{}", layer);
    const sys::Fd output = SBX_TRY(request_.staging.create(name));
    layer::LayerIndex index(budget_);
    const layer::IngestedLayer done = SBX_TRY(ingest(layer, opened, output.get(), index));
    if (wanted.digest && done.compressed != *wanted.digest) {
      return fail(layer::wrong_digest(opened.name, wanted.digest->str(), done.compressed.str()));
    }
    if (done.diff_id != diff_id) {
      return fail(layer::wrong_digest(fmt::format("{} (uncompressed)", opened.name), diff_id.str(),
                                      done.diff_id.str()));
    }
    SBX_TRY(keep(output, name, diff_id));
    return TakenLayer{done.tar_size, std::move(index)};
  }

  Result<layer::IngestedLayer> ingest(std::size_t layer, OpenedLayer& opened, int output,
                                      layer::LayerIndex& index) {
    layer::IngestRequest ingest;
    ingest.source = opened.bytes.get();
    ingest.name = opened.name;
    ingest.compressed_size = opened.size;
    ingest.output = output;
    ingest.limits = request_.layer_limits;
    ingest.limits.large_window = &large_window_;
    if (request_.progress) {
      ingest.progress = [&](const layer::IngestProgress& progress) {
        request_.progress({layer, request_.image.layers.size(), progress.compressed, opened.size});
      };
    }
    const std::optional<oci::Digest>& expected = request_.image.layers[layer].digest;
    return layer::ingest_layer(ingest, expected ? &*expected : nullptr, index);
  }

  Result<void> keep(const sys::Fd& file, const std::string& name, const oci::DiffId& diff_id) {
    const std::lock_guard lock(staging_mutex_);
    SBX_TRY(request_.staging.add_blob(file, name, diff_id.bytes()));
    return request_.pending != nullptr ? request_.staging.publish() : Result<void>();
  }

  const InstallRequest& request_;
  layer::TreeBudget& budget_;
  std::mutex large_window_;   // DecompressLimits::large_window; taken before the two below
  std::mutex staging_mutex_;  // the staging's list; the threads alone use it while they run
  std::mutex mutex_;          // the fields below; never with staging_mutex_
  std::condition_variable changed_;
  std::vector<std::size_t> wanted_;
  std::size_t next_ = 0;
  std::vector<std::optional<TakenLayer>> taken_;
  std::optional<Error> failure_;
  std::vector<std::thread> threads_;
};

/// One installation: the layers, the tree, the documents, and at the end the index.
class Installer {
 public:
  explicit Installer(const InstallRequest& request)
      : request_(request),
        store_(request.store),
        image_(request.image),
        chain_(oci::chain_id(request.image.config.diff_ids)),
        budget_(request.tree_limits),
        tree_(budget_),
        need_tree_(!has_good_tree()) {}

  Result<LoadedImage> run() {
    SBX_TRY(add_layers());
    if (need_tree_) {
      const sys::Fd file = SBX_TRY(request_.staging.create("tree"));
      SBX_TRY(tree_.write(file.get(), chain_, "tree"));
      SBX_TRY(request_.staging.add_tree(file, "tree", chain_));
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
    SBX_TRY(request_.staging.add_blob(image_.config_text, image_.config_digest.bytes()));
    SBX_TRY(request_.staging.add_blob(manifest, out.manifest.bytes()));
    if (image_.manifest_digest) {
      SBX_TRY(request_.staging.add_blob(image_.manifest, image_.manifest_digest->bytes()));
    }
    SBX_TRY(request_.staging.publish());
    out.names = request_.names;
    SBX_TRY(enter(out, manifest.size()));
    return out;
  }

 private:
  /// One that cannot be opened (another version, damaged) is made anew.
  [[nodiscard]] bool has_good_tree() const {
    Result<sys::Fd> file = store_.open_tree(chain_);
    return file && layer::ImageTree::open(std::move(file).value(), "tree");
  }

  Result<void> add_layers() {
    const std::vector<oci::DiffId>& ids = image_.config.diff_ids;
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const bool first =
          std::find(ids.begin(), ids.end(), ids[i]) == ids.begin() + static_cast<std::ptrdiff_t>(i);
      if (first && !store_.has_blob(ids[i].bytes())) {
        missing.push_back(i);
      }
    }
    all_there_ = missing.empty();
    LayerTaker taker(request_, budget_);
    taker.start(missing);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const bool is_missing = std::find(missing.begin(), missing.end(), i) != missing.end();
      SBX_TRY(add_layer(i, is_missing ? &taker : nullptr));
    }
    return {};
  }

  Result<void> add_layer(std::size_t i, LayerTaker* taker) {
    const oci::DiffId& diff_id = image_.config.diff_ids[i];
    if (const auto it = repeated_.find(diff_id); it != repeated_.end()) {
      sizes_.push_back(it->second.size);
      return need_tree_ ? tree_.apply(it->second.index, diff_id, it->second.size) : Result<void>();
    }
    TakenLayer layer;
    if (taker != nullptr) {
      layer = SBX_TRY(taker->wait(i));
    } else {
      layer.size = SBX_TRY(store_.blob_size(diff_id.bytes()));
    }
    sizes_.push_back(layer.size);
    if (need_tree_) {
      if (!layer.index) {
        layer.index.emplace(budget_);
        const sys::Fd tar = SBX_TRY(store_.open_blob(diff_id.bytes()));
        SBX_TRY(layer::index_stored_layer(tar.get(), layer.size, diff_id.str(), *layer.index));
      }
      SBX_TRY(tree_.apply(*layer.index, diff_id, layer.size));
    }
    const auto rest = image_.config.diff_ids.begin() + static_cast<std::ptrdiff_t>(i) + 1;
    if (std::find(rest, image_.config.diff_ids.end(), diff_id) != image_.config.diff_ids.end()) {
      repeated_.emplace(
          diff_id,
          Repeated{layer.index ? std::move(*layer.index) : layer::LayerIndex(budget_), layer.size});
    }
    return {};
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
    if (image_.index_digest) {
      entry.annotations[std::string(store::kSourceIndexAnnotation)] = image_.index_digest->str();
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

  const InstallRequest& request_;
  const store::Store& store_;
  const SourceImage& image_;
  oci::ChainId chain_;
  layer::TreeBudget budget_;
  layer::MergedTree tree_;
  bool need_tree_;
  bool all_there_ = true;
  std::vector<std::uint64_t> sizes_;
  std::map<oci::DiffId, Repeated> repeated_;  // layers that come again further up (empty ones do)
};

}  // namespace

Result<LoadedImage> install_image(const InstallRequest& request) {
  return Installer(request).run();
}

}  // namespace sbx::image
