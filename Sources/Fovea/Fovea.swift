// One import for programs that build, train and use models.
@_exported import FoveaDatasets
@_exported import FoveaFiles
@_exported import FoveaGraph
@_exported import FoveaLayers
@_exported import FoveaMPI
@_exported import FoveaModels
@_exported import FoveaOneDNN
@_exported import FoveaPictures
@_exported import FoveaRuntime
@_exported import FoveaSaving
@_exported import FoveaSignal
@_exported import FoveaTraining
@_exported import FoveaVisualization
@_exported import FoveaXLA
