import DICOM
import Foundation
import Synchronization
import TestSupport

/// An archive that refuses one class of objects, and counts what it is given of the others.
final class PickyArchive: StorageHandler {
    private let folder: StateFolder
    private let refused: UID
    private let status: StoreStatus
    private let state = Mutex((announced: [UID](), kept: [UID](), number: 0))

    init(refusing refused: UID, with status: StoreStatus, in folder: StateFolder) {
        (self.refused, self.status, self.folder) = (refused, status, folder)
    }

    /// Classes of what was sent, in the order in which it came, and of what was kept.
    var announced: [UID] { state.withLock { $0.announced } }
    var kept: [UID] { state.withLock { $0.kept } }

    func admit(_ request: AssociationRequest) -> AssociationDecision { .admit }

    func temporaryFile(for object: IncomingObject) -> TemporaryFileDecision {
        let number = state.withLock { state in
            state.announced.append(object.sopClass)
            state.number += 1
            return state.number
        }
        return object.sopClass == refused ? .refuse(status) : .receive(path: folder.file("picky-\(number).dcm"))
    }

    func received(_ file: ReceivedFile) -> StoreStatus {
        state.withLock { $0.kept.append(file.object.sopClass) }
        return .success
    }

    func ended(_ association: EndedAssociation) {}
}
