#include "runtime/archives.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <optional>

#include "runtime/containers.hpp"
#include "runtime/transfer.hpp"
#include "sys/file.hpp"
#include "sys/lock.hpp"
#include "sys/new_file.hpp"
#include "sys/tty.hpp"

namespace sbx::runtime {
namespace {

constexpr const char* kStandardInput = "standard input";
constexpr const char* kStandardOutput = "standard output";

/// A file to read, or standard input.
class Input {
 public:
  static Result<Input> open(const std::string& path) {
    Input out;
    if (!path.empty()) {
      out.file_ = SBX_TRY(sys::open_at(AT_FDCWD, path, O_RDONLY | O_NOCTTY));
      out.name_ = path;
    } else if (sys::is_terminal(STDIN_FILENO)) {
      return fail(Error::make(ErrorCode::kInvalidArgument, "read archive from", kStandardInput,
                              "it is a terminal")
                      .with_hint("name a file with --input, or write '<FILE'"));
    }
    return out;
  }
  [[nodiscard]] int fd() const { return file_ ? file_.get() : STDIN_FILENO; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  sys::Fd file_;
  std::string name_ = kStandardInput;
};

Result<std::string> manifest_of(const Json& image) {
  std::optional<std::string> manifest = SBX_TRY(find_string(image, "manifest"));
  return manifest ? Result<std::string>(*std::move(manifest))
                  : fail(Error::make(ErrorCode::kSystem, "run", "sbx-transfer",
                                     "its answer names no image"));
}

}  // namespace

Result<std::vector<std::string>> load_archive(const LoadArchive& load) {
  const Input input = SBX_TRY(Input::open(load.input));
  std::vector<std::string> words{"load", "--root", load.data_root, "--archive", input.name()};
  add_option(words, "--platform", load.platform);
  add_option(words, "--tag", load.tag);
  const Json answer = SBX_TRY(ask_transfer(std::move(words), input.fd()));
  const Json* const images = SBX_TRY(find_array(answer, "images"));
  std::vector<std::string> out;
  for (const Json& image : images == nullptr ? Json::array() : *images) {
    out.push_back(SBX_TRY(manifest_of(image)));
  }
  return out;
}

namespace {

void add_stores(std::vector<std::string>& words, const std::vector<std::string>& stores) {
  for (const std::string& store : stores) {
    if (sys::exists_at(AT_FDCWD,
                       store)) {  // what is not there is warned of by whoever looks for images
      add_option(words, "--store", store);
    }
  }
}

/// A new file, or standard output.
class Output {
 public:
  /// `verb` is for errors: "save to".
  static Result<Output> open(const char* verb, const std::string& path, sys::NewFile::Kind kind) {
    Output out;
    const bool directory = kind == sys::NewFile::Kind::kDirectory;
    if (!path.empty()) {
      out.file_.emplace(SBX_TRY(sys::NewFile::create(path, kind)));
      out.name_ = path;
    } else if (directory) {
      return fail(Error::make(ErrorCode::kInvalidArgument, verb, kStandardOutput,
                              "a directory cannot be written there")
                      .with_hint("name a file with --output"));
    }
    if (sys::is_terminal(out.fd())) {
      return fail(Error::make(ErrorCode::kInvalidArgument, verb, out.name_, "it is a terminal")
                      .with_hint("name a file with --output"));
    }
    return out;
  }
  [[nodiscard]] int fd() const { return file_ ? file_->fd() : STDOUT_FILENO; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// The file appears under its name.
  Result<void> commit() { return file_ ? file_->commit() : Result<void>(); }

 private:
  std::optional<sys::NewFile> file_;
  std::string name_ = kStandardOutput;
};

}  // namespace

Result<void> save_archive(const SaveArchive& save) {
  const auto kind =
      save.format == "oci-dir" ? sys::NewFile::Kind::kDirectory : sys::NewFile::Kind::kFile;
  Output output = SBX_TRY(Output::open("save to", save.output, kind));
  std::vector<std::string> words{"save", "--root", save.data_root, "--name", output.name()};
  add_option(words, "--format", save.format);
  add_option(words, "--compress", save.compress);
  add_stores(words, save.additional_stores);
  words.emplace_back("--");
  words.insert(words.end(), save.images.begin(), save.images.end());
  (void)SBX_TRY(ask_transfer(std::move(words), output.fd()));
  return output.commit();
}

Result<void> export_archive(const ExportArchive& request) {
  const ContainerState container =
      SBX_TRY(find_container(request.data_root, request.container)).state;
  if (container.chain.empty()) {
    return fail(Error::make(ErrorCode::kUnsupported, "export", request.container,
                            "it has no image of the store below it"));
  }
  const std::string path = request.data_root + "/containers/" + container.id;
  const sys::Fd dir = SBX_TRY(sys::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
  // Held until all is written: nothing starts, changes or removes it meanwhile.
  const auto lock =
      SBX_TRY(sys::FileLock::try_existing(dir.get(), "lock", sys::FileLock::Kind::kExclusive));
  if (!lock) {
    return fail(Error::make(ErrorCode::kBusy, "export", request.container, "it is running")
                    .with_hint("wait for its end, or end it"));
  }
  if (container.kernel_overlay) {
    return fail(Error::make(ErrorCode::kUnsupported, "export", request.container,
                            "the kernel's overlay took its changes, which is not read yet")
                    .with_hint("run it with --overlay=fuse"));
  }
  Output output = SBX_TRY(Output::open("export to", request.output, sys::NewFile::Kind::kFile));
  std::vector<std::string> words{"export",      "--root",  request.data_root, "--name",
                                 output.name(), "--chain", container.chain};
  add_stores(words, request.additional_stores);
  words.insert(words.end(), {"--", path});
  (void)SBX_TRY(ask_transfer(std::move(words), output.fd()));
  return output.commit();
}

Result<std::string> import_archive(const ImportArchive& import) {
  const Input input = SBX_TRY(Input::open(import.input));
  std::vector<std::string> words{"import", "--root", import.data_root, "--name", input.name()};
  add_option(words, "--tag", import.name);
  add_option(words, "--platform", import.platform);
  add_option(words, "--message", import.message);
  for (const std::string& change : import.changes) {
    words.insert(words.end(), {"--change", change});
  }
  return manifest_of(SBX_TRY(ask_transfer(std::move(words), input.fd())));
}

}  // namespace sbx::runtime
