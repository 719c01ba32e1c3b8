// The main of fuzz targets that are built without libFuzzer: gives every file of the folders named
// on the command line to the target. Fails when there is none, so that a lost corpus is noticed.
// Beside each file it tries all its beginnings, and the file with one byte changed, at many places.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void Give(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

void GiveWithNeighbours(const std::string& bytes) {
  Give(bytes);
  const std::size_t step = bytes.size() / 512 + 1;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    Give(bytes.substr(0, at));
    for (const char other : {'\0', '\n', '%', '/', '0', '\xff'}) {
      std::string changed = bytes;
      changed[at] = other;
      Give(changed);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  int files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream file(entry.path(), std::ios::binary);
      GiveWithNeighbours({std::istreambuf_iterator<char>(file), {}});
      ++files;
    }
  }
  std::printf("%d corpus files\n", files);
  return files == 0 ? 1 : 0;
}
