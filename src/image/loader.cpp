#include "image/loader.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "image/source_files.hpp"
#include "image/source_image.hpp"
#include "oci/reference.hpp"
#include "store/gc.hpp"
#include "store/staging.hpp"
#include "sys/file.hpp"

namespace sbx::image {
namespace {

Result<std::unique_ptr<SourceFiles>> open_files(LoadRequest& request) {
  if (request.source.transport == Transport::kOciDirectory) {
    return directory_files(std::move(request.source_file), request.source.path);
  }
  return archive_files(std::move(request.source_file), request.source.path);
}

Result<SourceImage> find_image(SourceFiles& files, const LoadRequest& request) {
  const SourceQuery query{request.source.ref, request.platform,
                          repository_of_path(request.source.path)};
  Result<SourceImage> image = request.source.transport == Transport::kDockerArchive
                                  ? find_in_docker_archive(files, query)
                                  : find_in_oci_layout(files, query);
  return std::move(image).context(fmt::format("loading '{}'", printable(request.source.path)));
}

Result<std::vector<std::string>> wanted_names(const LoadRequest& request,
                                              const SourceImage& image) {
  return request.tags.empty() ? image.names : full_names(request.tags);
}

/// The layers of a directory or an archive.
class FileOpener final : public LayerOpener {
 public:
  FileOpener(SourceFiles& files, const SourceImage& image) : files_(files), image_(image) {}

  Result<OpenedLayer> open(std::size_t layer) override {
    SourceFile file = SBX_TRY(files_.find(image_.layers[layer].path));
    const std::uint64_t size = file.size;
    std::string name = file.name;
    return OpenedLayer{std::make_unique<Bytes>(std::move(file)), size, std::move(name)};
  }

 private:
  class Bytes final : public layer::ByteSource {
   public:
    explicit Bytes(SourceFile file)
        : file_(std::move(file)), bytes_(file_.fd, file_.offset, file_.size, file_.name) {}
    Result<std::size_t> read(std::span<std::byte> data) override { return bytes_.read(data); }

   private:
    SourceFile file_;
    layer::FileSource bytes_;
  };

  SourceFiles& files_;
  const SourceImage& image_;
};

}  // namespace

Result<sys::Fd> open_source(const SourceName& source) {
  const int kind =
      source.transport == Transport::kOciDirectory ? O_DIRECTORY : O_NONBLOCK | O_NOCTTY;
  return sys::open_at(AT_FDCWD, source.path, O_RDONLY | kind).context("opening the image to load");
}

Result<std::vector<std::string>> full_names(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const oci::Reference reference = SBX_TRY(oci::Reference::parse(name));
    if (reference.digest()) {
      return fail(Error::make(ErrorCode::kInvalidArgument, "tag image", name,
                              "a name with a digest cannot be given"));
    }
    out.push_back(reference.tagged());
  }
  return out;
}

Result<LoadedImage> load_image(LoadRequest request) {
  const store::Store store =
      SBX_TRY(store::Store::open(request.root + "/store", store::Store::Access::kWrite));
  SBX_TRY(store::clean_leftovers(store));
  const std::unique_ptr<SourceFiles> files = SBX_TRY(open_files(request));
  return load_from(request, store, *files);
}

Result<LoadedImage> load_from(const LoadRequest& request, const store::Store& store,
                              SourceFiles& files) {
  const SourceImage image = SBX_TRY(find_image(files, request));
  std::vector<std::string> names = SBX_TRY(wanted_names(request, image));
  store::Staging staging = SBX_TRY(store::Staging::open(store));
  FileOpener opener(files, image);
  return install_image({.store = store,
                        .staging = staging,
                        .image = image,
                        .layers = opener,
                        .names = std::move(names),
                        .tree_limits = request.tree_limits,
                        .layer_limits = request.layer_limits,
                        .progress = request.progress});
}

}  // namespace sbx::image
