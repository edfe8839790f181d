#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "image/saver.hpp"
#include "store/store.hpp"
#include "sys/file.hpp"
#include "transfer/confine.hpp"
#include "transfer/verbs.hpp"

namespace sbx::transfer {

Result<Json> save(Words words) {
  const SaveOptions options = SBX_TRY(SaveOptions::parse(words));
  const store::Store store =
      SBX_TRY(store::Store::open(options.root + "/store", store::Store::Access::kWrite));
  // A layout's files are made below its directory; an archive is open already.
  const std::array<int, 2> reach{store.dir(), STDIN_FILENO};
  const bool directory = options.format == image::SaveFormat::kOciDirectory;
  std::vector<sys::Fd> others;
  std::vector<int> read;
  for (const std::string& path : options.stores) {
    others.push_back(SBX_TRY(sys::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY)));
    read.push_back(others.back().get());
  }
  SBX_TRY(confine(std::span(reach).first(directory ? 2 : 1), read));
  image::SaveRequest request;
  request.root = options.root;
  request.additional = options.stores;
  request.images = options.images;
  request.format = options.format;
  request.compression = options.compression;
  request.output = STDIN_FILENO;
  request.output_name = options.name;
  SBX_TRY(image::save_images(request));
  return Json{{"images", options.images.size()}};
}

}  // namespace sbx::transfer
