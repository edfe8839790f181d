#include "runtime/archives.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <optional>

#include "runtime/transfer.hpp"
#include "sys/file.hpp"
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

void add_option(std::vector<std::string>& words, const char* name, const std::string& value) {
  if (!value.empty()) {
    words.insert(words.end(), {name, value});
  }
}

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

Result<void> save_archive(const SaveArchive& save) {
  const bool directory = save.format == "oci-dir";
  std::optional<sys::NewFile> file;
  if (!save.output.empty()) {
    file.emplace(SBX_TRY(sys::NewFile::create(
        save.output, directory ? sys::NewFile::Kind::kDirectory : sys::NewFile::Kind::kFile)));
  } else if (directory || sys::is_terminal(STDOUT_FILENO)) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "save to", kStandardOutput,
                            directory ? "a directory cannot be written there" : "it is a terminal")
                    .with_hint("name a file with --output"));
  }
  const int output = file ? file->fd() : STDOUT_FILENO;
  if (sys::is_terminal(output)) {
    return fail(
        Error::make(ErrorCode::kInvalidArgument, "save to", save.output, "it is a terminal"));
  }
  std::vector<std::string> words{"save", "--root", save.data_root, "--name",
                                 save.output.empty() ? kStandardOutput : save.output};
  add_option(words, "--format", save.format);
  add_option(words, "--compress", save.compress);
  for (const std::string& store : save.additional_stores) {
    if (sys::exists_at(AT_FDCWD,
                       store)) {  // what is not there is warned of by whoever looks for images
      add_option(words, "--store", store);
    }
  }
  words.emplace_back("--");
  words.insert(words.end(), save.images.begin(), save.images.end());
  (void)SBX_TRY(ask_transfer(std::move(words), output));
  return file ? file->commit() : Result<void>();
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
